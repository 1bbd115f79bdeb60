// Covers: api/routes/enqueue.ts, ledger/idempotency.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { countRows, query, story } from '../../ledger/world.ts';
import { ask, openApi, post, problemOf, storyBody, type ApiWorld } from '../world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

test('a 202 is a job in the ledger, with its address, and the caller knows when to look again', async () => {
  const response = await ask(world, '/v1/jobs', { body: storyBody, headers: { 'x-request-id': 'r-1' } });
  const body = (await response.json()) as Record<string, unknown>;
  expect(response.status).toBe(202);
  expect(Object.keys(body)).toEqual(['id', 'kind', 'queue', 'state', 'createdAt', 'repeated']);
  expect(body).toMatchObject({
    kind: 'generate-story',
    queue: 'story-generation',
    state: 'waiting',
    repeated: false,
  });
  expect(response.headers.get('location')).toBe(`/v1/jobs/${String(body['id'])}`);
  expect(response.headers.get('retry-after')).toBe('1');
  const [row] = await query<object>(
    world,
    'SELECT tenant, source, request_id, payload FROM job WHERE id = $1',
    [body['id']],
  );
  const payload = { ...story, language: 'en', pages: 6 };
  expect(row).toEqual({ tenant: 'acme', source: 'api', request_id: 'r-1', payload });
  expect(world.committed.flat()).toContainEqual(expect.objectContaining({ id: body['id'], generation: 1 }));
});

test('options set the priority and the due time', async () => {
  const delayed = await ask(world, '/v1/jobs', {
    body: { ...storyBody, options: { priority: 'high', delayMs: 60_000 } },
  });
  const { id } = (await delayed.json()) as { id: string };
  const job = (await (await ask(world, `/v1/jobs/${id}`)).json()) as Record<string, unknown>;
  expect(job).toMatchObject({ state: 'scheduled', priority: 'high', final: false });
  expect(Date.parse(String(job['runAt'])) - Date.parse(String(job['createdAt']))).toBe(60_000);
});

test('50 parallel posts with one key make one job', async () => {
  const before = await countRows(world, 'job');
  const headers = { 'idempotency-key': '"fifty"' };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => ask(world, '/v1/jobs', { body: storyBody, headers })),
  );
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { id: string }[];
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
  expect(new Set(bodies.map((body) => body.id)).size).toBe(1);
  for (const name of ['idempotent-replayed', 'idempotency-replayed'])
    expect(answers.filter((answer) => answer.headers.get(name) === 'true')).toHaveLength(49);
  expect(await countRows(world, 'job')).toBe(before + 1);
});

test('the spelling of a key and of a body does not matter, the content does', async () => {
  const headers = { 'idempotency-key': 'spelling' };
  const id = await post(world, headers);
  const payload = `{ "theme": "the sea",\n "age": 6, "childName": "\\u0041da" }`;
  const again = await ask(world, '/v1/jobs', {
    body: `{ "payload": ${payload}, "kind": "generate-story" }`,
    headers: { 'idempotency-key': '"spelling"' },
  });
  expect(await again.json()).toMatchObject({ id, repeated: true });
  const other = await ask(world, '/v1/jobs', { body: { ...storyBody, options: {} }, headers });
  expect([other.status, (await problemOf(other)).code]).toEqual([422, 'idempotency_key_reused']);
  const neighbour = await ask(world, '/v1/jobs', { key: 'stranger', body: storyBody, headers });
  expect(await neighbour.json()).toMatchObject({ repeated: false });
});

test.each([
  ['""'],
  ['"a'],
  ['a"b" "c'.repeat(40)],
  ['"a\\b"'],
  ['x'.repeat(256)],
  ['"a";p=1'],
  ['k\u00e4se'],
])('the key %s cannot be used', async (key) => {
  const response = await ask(world, '/v1/jobs', { body: storyBody, headers: { 'idempotency-key': key } });
  expect([response.status, (await problemOf(response)).code]).toEqual([400, 'idempotency_key_invalid']);
});

const withOptions = (options: unknown) => ({ ...storyBody, options });
const withPayload = (change: object) => ({ ...storyBody, payload: { ...story, ...change } });

test.each([
  ['an unknown kind', { ...storyBody, kind: 'generate-storry' }, 'unknown_kind', '/kind', 'generate-story?'],
  ['a kind that is no text', { ...storyBody, kind: 5 }, 'validation_failed', '/kind', 'name of a kind'],
  ['a kind from the prototype', { ...storyBody, kind: 'toString' }, 'unknown_kind', '/kind', 'known are'],
  ['no payload', { kind: 'generate-story' }, 'validation_failed', '/payload', 'expected object'],
  [
    'an unknown field of the payload',
    withPayload({ childsName: 'x' }),
    'unknown_field',
    '/payload/childsName',
    'childName?',
  ],
  ['an unknown field of the body', { ...storyBody, jobId: 'x' }, 'unknown_field', '/jobId', 'not a field'],
  ['a tenant of its own', { ...storyBody, tenantId: 'x' }, 'unknown_field', '/tenantId', 'not a field'],
  ['an unknown option', withOptions({ atempts: 3 }), 'unknown_field', '/options/atempts', 'not a field'],
  ['no options but null', withOptions(null), 'validation_failed', '/options', 'expected object'],
  ['a null', withPayload({ theme: null }), 'validation_failed', '/payload/theme', 'expected string'],
  ['an empty text', withPayload({ theme: '  ' }), 'validation_failed', '/payload/theme', 'empty'],
  ['an age of 200', withPayload({ age: 200 }), 'validation_failed', '/payload/age', '12'],
  ['a priority of 1.5', withOptions({ priority: 1.5 }), 'validation_failed', '/options/priority', 'high'],
  [
    'a priority with a space',
    withOptions({ priority: 'high ' }),
    'validation_failed',
    '/options/priority',
    'high',
  ],
  ['a negative delay', withOptions({ delayMs: -5 }), 'validation_failed', '/options/delayMs', '0'],
  ['a delay as text', withOptions({ delayMs: '5m' }), 'validation_failed', '/options/delayMs', 'expected'],
  [
    'a delay over 30 days',
    withOptions({ delayMs: 2_592_000_001 }),
    'validation_failed',
    '/options/delayMs',
    '30 days',
  ],
  [
    'a moment without zone',
    withOptions({ runAt: '2026-11-22T08:00:00' }),
    'validation_failed',
    '/options/runAt',
    'zone',
  ],
  [
    'the year 1',
    withOptions({ runAt: '0001-01-01T00:00:00Z' }),
    'validation_failed',
    '/options/runAt',
    'year',
  ],
  [
    'the past',
    withOptions({ runAt: new Date(Date.now() - 360_000).toISOString() }),
    'validation_failed',
    '/options/runAt',
    'year',
  ],
  [
    'two due times',
    withOptions({ delayMs: 1, runAt: new Date(Date.now() + 60_000).toISOString() }),
    'conflicting_fields',
    '/options',
    'both',
  ],
])('%s is a 422 with a pointer', async (_, body, code, pointer, hint) => {
  const response = await ask(world, '/v1/jobs', { body });
  const problem = await problemOf(response);
  expect([response.status, problem.code]).toEqual([422, code]);
  expect(problem.errors).toContainEqual(expect.objectContaining({ pointer, code }));
  expect(JSON.stringify(problem.errors)).toContain(hint);
});

test('everything wrong is told at once, at most 20 of it, in the shape of a problem', async () => {
  const fields = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`x${n}`, 1]));
  const response = await ask(world, '/v1/jobs', {
    body: { ...withPayload({ age: 1, theme: 5 }), ...fields },
  });
  const problem = await problemOf(response);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(Object.keys(problem)).toEqual([
    'type',
    'title',
    'status',
    'detail',
    'instance',
    'code',
    'details',
    'errors',
  ]);
  expect(problem).toMatchObject({
    type: 'https://storytime.example/problems/validation_failed',
    status: 422,
  });
  expect(problem.errors).toHaveLength(20);
});

test('a point of time that has passed since is no reason to refuse the same request again', async () => {
  let aheadMs = 0;
  const later = await openApi({ now: () => Promise.resolve(Date.now() + aheadMs) });
  try {
    const body = { ...storyBody, options: { runAt: new Date(Date.now() + 1_000).toISOString() } };
    const send = (key: string) => ask(later, '/v1/jobs', { body, headers: { 'idempotency-key': key } });
    const first = (await (await send('due')).json()) as { id: string };
    aheadMs = 3_600_000;
    const again = await send('due');
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(await again.json()).toMatchObject({ id: first.id, repeated: true });
    expect((await send('another')).status).toBe(422);
  } finally {
    await later.close();
  }
});
