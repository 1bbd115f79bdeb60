// Covers: queues/fields.ts, queues/known-fields.ts, queues/registry.ts
import { expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { Problem } from '../../shared/errors.ts';
import { checkJob } from '../../queues/check.ts';
import { emailAddress, httpsLink, line } from '../../queues/fields.ts';
import { createRegistry } from '../../queues/registry.ts';
import { queues, registry } from '../../queues/index.ts';

const now = Date.parse('2026-11-21T08:00:00Z');
const story = { childName: 'Ada', age: 6, theme: 'the sea' };

function refusalOf(body: unknown): Problem {
  try {
    checkJob(registry, body, now);
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown;
    throw thrown;
  }
  throw new Error('it was accepted');
}

function errorsOf(body: unknown): string[] {
  return refusalOf(body).errors.map(({ pointer, code }) => `${pointer} ${code}`);
}

/** A good request but for one value. */
function withAt(pointer: string, value: unknown): unknown {
  const [, first = '', second] = pointer.split('/');
  const good = { kind: 'generate-story', payload: story, options: {} };
  if (second === undefined) return { ...good, [first]: value };
  return { ...good, [first]: { ...good[first as 'payload' | 'options'], [second]: value } };
}

function withOptions(options: unknown): unknown {
  return { kind: 'generate-story', payload: story, options };
}

test('everything wrong is told at once, each with a pointer and a code', () => {
  const body = {
    kind: 'generate-story',
    payload: { childName: 'a\u0000b', age: 2 ** 60, theem: 'x' },
    options: { priority: 'urgent', delayMs: -1, soon: true },
    paylod: {},
  };
  expect(errorsOf(body)).toEqual(
    expect.arrayContaining([
      '/payload/childName invalid_characters',
      '/payload/age unsafe_number',
      '/payload/theem unknown_field',
      '/options/priority validation_failed',
      '/options/delayMs validation_failed',
      '/options/soon unknown_field',
      '/paylod unknown_field',
    ]),
  );
  const { code, message } = refusalOf(body);
  expect([code, message]).toEqual([
    'validation_failed',
    expect.stringMatching(/^the request failed: .* more\)$/),
  ]);
});

test('a kind or a field that is mistyped is answered with the one that was meant', () => {
  expect(refusalOf({ kind: 'generate-storie', payload: {} })).toMatchObject({
    code: 'unknown_kind',
    errors: [{ message: expect.stringContaining('did you mean generate-story?') }],
  });
  expect(errorsOf({ kind: '__proto__', payload: {} })).toEqual(['/kind unknown_kind']);
  for (const body of [null, [], 'text', 7, undefined]) expect(refusalOf(body).code).toBe('object_required');
});

test.each([
  ['/payload/pages', Infinity],
  ['/payload/pages', Number('12345678901234567890')],
  ['/payload/age', -0],
  ['/payload/age', 2 ** 60],
  ['/options/delayMs', -Infinity],
])('a number at %s that cannot be kept is told once, by its own code: %d', (pointer, value) => {
  const problem = refusalOf(withAt(pointer, value));
  expect([problem.code, problem.errors]).toEqual([
    'unsafe_number',
    [{ pointer, code: 'unsafe_number', message: 'cannot be kept exactly' }],
  ]);
});

test.each([
  '/payload/childName',
  '/payload/voiceId',
  '/payload/notify',
  '/payload/language',
  '/options/runAt',
  '/kind',
])('a NUL at %s is told once, by its own code', (pointer) => {
  const problem = refusalOf(withAt(pointer, 'a\u0000b'));
  expect([problem.code, problem.errors.map((error) => error.pointer)]).toEqual([
    'invalid_characters',
    [pointer],
  ]);
});

test('a NUL in the name of a field is told once, by its own code', () => {
  for (const body of [
    { kind: 'generate-story', payload: { ...story, 'a\u0000b': 1 } },
    { kind: 'generate-story', payload: story, 'a\u0000b': 1 },
  ]) {
    const { code, errors } = refusalOf(body);
    expect([code, errors.length]).toEqual(['invalid_characters', 1]);
  }
});

test('a request of thousands of errors is answered with twenty', () => {
  const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field-${index}`, 1]));
  expect(refusalOf(body).errors).toHaveLength(20);
});

test('a body full of numbers that cannot be kept is read no further than its answer tells', () => {
  let read = 0;
  const numbers = new Proxy(Array<number>(5_000).fill(Infinity), {
    get(target, key) {
      read += typeof key === 'string' && /^\d+$/.test(key) ? 1 : 0;
      return Reflect.get(target, key) as unknown;
    },
  });
  const errors = errorsOf({ kind: 'generate-story', payload: { k: [numbers] } });
  expect(errors).toEqual(Array.from({ length: 20 }, (_, at) => `/payload/k/0/${at} unsafe_number`));
  expect(read).toBe(20);
});

test('a pointer is made for what is wrong, not for everything that was looked at', () => {
  const replaceAll = jest.spyOn(String.prototype, 'replaceAll');
  try {
    expect(errorsOf({ kind: 'generate-story', payload: Array(5_000).fill(0) })).toEqual([
      '/payload validation_failed',
    ]);
    expect(replaceAll.mock.calls.length).toBeLessThan(20);
  } finally {
    replaceAll.mockRestore();
  }
});

test('a job is due now, after a delay or at a moment of the next year, never at two of them', () => {
  const due = (options: unknown): unknown => checkJob(registry, withOptions(options), now);
  expect(due({})).toMatchObject({ delayMs: undefined, runAt: undefined, priority: 5 });
  expect(due({ priority: 'high', delayMs: 5 })).toMatchObject({ priority: 1, delayMs: 5 });
  expect(due({ runAt: '2026-11-21T10:00:00+01:00' })).toMatchObject({
    runAt: new Date('2026-11-21T09:00:00Z'),
  });
  expect(errorsOf(withOptions({ delayMs: 1, runAt: '2026-11-21T09:00:00Z' }))).toEqual([
    '/options conflicting_fields',
  ]);
  for (const runAt of ['2026-11-21T07:00:00Z', '2028-01-01T00:00:00Z', '2026-11-21T09:00:00', 'tomorrow', 5])
    expect(errorsOf(withOptions({ runAt }))).toEqual(['/options/runAt validation_failed']);
});

test('an address that a mail server could read as two, a group or a command is no address', () => {
  const refused = [
    'a@b.de,c@d.de',
    'A <a@b.de>',
    '"a b"@c.de',
    'a@[127.0.0.1]',
    'a@b',
    'a..b@c.de',
    'a@b.de\r\nBcc: x@y.de',
    '@b.de',
    `${'a'.repeat(65)}@b.de`,
    'a@-b.de',
  ];
  for (const text of refused) expect([text, emailAddress.safeParse(text).success]).toEqual([text, false]);
  expect(emailAddress.safeParse('ada.b+tag@mail.example.com').success).toBe(true);
});

test('a line is one line, and a link opens a page and nothing else', () => {
  for (const text of ['', '  ', 'a\nb', 'a\u0007', 'x'.repeat(21)])
    expect([text, line(20).safeParse(text).success]).toEqual([text, false]);
  expect(line(20).parse('  Ada ')).toBe('Ada');
  for (const text of [
    'javascript:alert(1)',
    'https://a:b@c.de',
    'https://c.de\\@d.de',
    'file:///etc',
    'https://',
    '//c.de',
  ])
    expect([text, httpsLink.safeParse(text).success]).toEqual([text, false]);
  expect(httpsLink.safeParse('https://c.de/story?page=1').success).toBe(true);
});

test('every kind has one queue and a policy, and a name for two kinds is refused', () => {
  for (const [name, kind] of registry.kinds)
    expect([name, kind.retry.attempts > 0, kind.timeoutMs > 0, kind.giveUpAfterMs > 0]).toEqual([
      name,
      true,
      true,
      true,
    ]);
  expect(() => createRegistry([queues[0], queues[0]])).toThrow('declared twice');
});

function broken(): string {
  throw new Error('no such field');
}

test('a summary that an old payload breaks is empty: its job must still be carried', () => {
  const jobs = {
    old: { payload: z.unknown(), result: z.unknown(), replay: 'safe' as const, summary: broken },
  };
  const made = createRegistry([{ ...queues[0], jobs }]);
  expect(made.kinds.get('old')?.summary({})).toBe('');
});
