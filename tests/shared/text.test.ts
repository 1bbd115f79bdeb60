import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import {
  canonicalJson,
  hasForbiddenCharacters,
  nearest,
  quoted,
  sanitiseText,
  sha256,
  toStorableJson,
} from '../../shared/text.ts';
import { addressOf } from '../support/database.ts';

let client: Client;
beforeAll(async () => {
  client = new Client({ connectionString: addressOf('postgres') });
  await client.connect();
});
afterAll(() => client.end());

const seed = Date.now() % 2 ** 31;
let state = seed;
function random(below: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** Any UTF-16: NULs, halves of pairs, controls and quotes far more often than in life. */
function anyText(): string {
  const units = [0, 0x1f, 0x22, 0x5c, 0x2028, 0xd83d, 0xde00, 0xdc00, 0xffff, 0x7f];
  return Array.from({ length: random(12) }, () =>
    String.fromCharCode(random(2) === 0 ? (units[random(units.length)] ?? 0) : random(0x10000)),
  ).join('');
}

const leaves = [
  anyText,
  () => random(2 ** 31) / 7,
  () => [Number.NaN, Infinity, -0, 1e308, 5e-324, 2 ** 53][random(6)],
  () => 2n ** BigInt(random(200)),
  () => [undefined, null, true, Symbol('s'), () => 1][random(5)],
  () => new Date(random(2) === 0 ? Number.NaN : 0),
  () => [new Map([[1, 2]]), new Set([1]), new Uint8Array(3), /x/, Object.create(null)][random(5)],
];

function anyValue(depth: number): unknown {
  if (depth === 0 || random(3) === 0) return leaves[random(leaves.length)]?.();
  const inner = Array.from({ length: random(4) }, () => [anyText(), anyValue(depth - 1)] as const);
  if (random(2) === 0) return inner.map(([, value]) => value);
  const made: Record<string, unknown> = Object.fromEntries(inner);
  if (random(4) === 0) made['self'] = made;
  if (random(8) === 0) made['toJSON'] = () => (random(2) === 0 ? made : anyText());
  return made;
}

test(`whatever a job gives back, PostgreSQL stores it as JSON (seed ${seed})`, async () => {
  for (let round = 0; round < 20; round += 1) {
    const texts = Array.from({ length: 50 }, () => toStorableJson(anyValue(4)));
    const { rows } = await client.query<{ same: boolean }>(
      'SELECT count(j) = $2 AS same FROM unnest($1::jsonb[]) AS t(j)',
      [texts, texts.length],
    );
    expect(rows).toEqual([{ same: true }]);
  }
});

test('a value of JSON is stored as it is', () => {
  const value = { a: [1, 'two', null, { deep: true }], ü: '😀', __proto__x: 1 };
  expect(JSON.parse(toStorableJson(value))).toEqual(value);
  expect(toStorableJson(undefined)).toBe('null');
});

test('one object in two places is no circle', () => {
  const shared = { x: 1 };
  expect(toStorableJson({ a: shared, b: shared })).toBe('{"a":{"x":1},"b":{"x":1}}');
});

function hash(value: unknown): string {
  return sha256(canonicalJson(value)).toString('hex');
}

test('two spellings of one body have one hash, and two bodies have two', () => {
  expect(hash({ b: [1, { d: 2, c: 3 }], a: 'x' })).toBe(hash({ a: 'x', b: [1, { c: 3, d: 2 }] }));
  expect(hash({ a: undefined })).toBe(hash({}));
  expect(hash({ a: [1, 2] })).not.toBe(hash({ a: [2, 1] }));
  expect(hash({ a: null })).not.toBe(hash({}));
});

test('a text from outside is cut without leaving half of a character', () => {
  expect(sanitiseText('ab\u0000c\ud83d')).toBe('ab\ufffdc\ufffd');
  expect(sanitiseText('😀'.repeat(9), 6)).toBe('😀😀…');
  expect(hasForbiddenCharacters('😀 fine')).toBe(false);
});

test('a quoted text is one short line without control characters', () => {
  const line = quoted(`a"\n\u0000\u2028\u0085${'x'.repeat(99)}`);
  expect(line).toMatch(/^"a\\"\\n\ufffd\\u2028\\u0085x+…"$/);
});

test('a mistyped word is answered with the nearest known one, a strange or huge one with none', () => {
  expect(nearest('genrate-story', ['send-email', 'generate-story'])).toBe('generate-story');
  expect(nearest('zzzz', ['send-email'])).toBeUndefined();
  expect(nearest('x'.repeat(100_000), ['x'])).toBeUndefined();
});
