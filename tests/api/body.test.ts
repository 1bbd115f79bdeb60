import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseJson } from '../../api/json.ts';
import { countRows } from '../ledger/world.ts';
import { ask, openApi, problemOf, sendRaw, storyBody, type ApiWorld } from './world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi({ requestTimeoutMs: 1_000 });
});
afterAll(() => world.close());

const good = JSON.stringify(storyBody);
const nested = (depth: number) =>
  `${'[{"a":'.repeat(Math.floor(depth / 2))}1${'}]'.repeat(Math.floor(depth / 2))}`;
const inPayload = (json: string) => `{"kind":"generate-story","payload":${json}}`;
const keys = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1])));

test.each([
  ['text', good, { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
  [
    'a form',
    'kind=a',
    { 'content-type': 'application/x-www-form-urlencoded' },
    415,
    'unsupported_media_type',
  ],
  ['multipart', good, { 'content-type': 'multipart/form-data; boundary=a' }, 415, 'unsupported_media_type'],
  [
    'a type that only begins like JSON',
    good,
    { 'content-type': 'application/jsonp' },
    415,
    'unsupported_media_type',
  ],
  ['UTF-16', good, { 'content-type': 'application/json; charset=utf-16' }, 415, 'unsupported_charset'],
  ['gzip', gzipSync(good), { 'content-encoding': 'gzip' }, 415, 'unsupported_encoding'],
  ['two encodings', good, { 'content-encoding': 'identity, br' }, 415, 'unsupported_encoding'],
  [
    'bytes that are not UTF-8',
    Buffer.from(good.replace('Ada', '\xff'), 'latin1'),
    {},
    400,
    'invalid_encoding',
  ],
  ['a cut character', Buffer.from(good).subarray(0, -1), {}, 400, 'malformed_json'],
  ['a trailing comma', '{"kind":"a",}', {}, 400, 'malformed_json'],
  ['a byte order mark', `\uFEFF${good}`, {}, 400, 'malformed_json'],
  ['NaN', '{"kind":NaN}', {}, 400, 'malformed_json'],
  ['single quotes', `{'kind':'a'}`, {}, 400, 'malformed_json'],
  ['a comment', `{"kind":"a"} // b`, {}, 400, 'malformed_json'],
  ['two values', `${good}${good}`, {}, 400, 'malformed_json'],
  ['nothing', '', {}, 400, 'malformed_json'],
  ['an array', '[]', {}, 422, 'object_required'],
  ['a text', '"x"', {}, 422, 'object_required'],
  ['a number', '5', {}, 422, 'object_required'],
  ['null', 'null', {}, 422, 'object_required'],
  [
    '256 kB and a byte',
    inPayload(`"${'a'.repeat(262_145 - inPayload('""').length)}"`),
    {},
    413,
    'payload_too_large',
  ],
  ['a megabyte', inPayload(`"${'a'.repeat(1_000_000)}"`), {}, 413, 'payload_too_large'],
  ['depth 33', inPayload(nested(32)), {}, 400, 'json_too_complex'],
  ['depth 5,000', '['.repeat(5_000) + ']'.repeat(5_000), {}, 400, 'json_too_complex'],
  ['10,001 keys', inPayload(keys(10_001)), {}, 400, 'json_too_complex'],
  ['10,001 items', inPayload(`[${'1,'.repeat(10_000)}1]`), {}, 400, 'json_too_complex'],
  ['10,001 items in many lists', inPayload(`[${'[1,1],'.repeat(5_001)}1]`), {}, 400, 'json_too_complex'],
  ['a key of 1,000 characters', inPayload(`{"${'k'.repeat(1_000)}":1}`), {}, 400, 'json_too_complex'],
  ['__proto__', inPayload('{"a":[{"__proto__":{"x":1}}]}'), {}, 400, 'forbidden_key'],
  ['an escaped __proto__', inPayload('{"\\u005f_proto__":{"x":1}}'), {}, 400, 'forbidden_key'],
  ['constructor', '{"constructor":{"prototype":{"x":1}}}', {}, 400, 'forbidden_key'],
  ['prototype', inPayload('{"prototype":1}'), {}, 400, 'forbidden_key'],
  ['NUL', inPayload('{"childName":"a\\u0000","age":5,"theme":"x"}'), {}, 422, 'invalid_characters'],
  [
    'half a surrogate pair',
    inPayload('{"childName":"\\ud800","age":5,"theme":"x"}'),
    {},
    422,
    'invalid_characters',
  ],
])('%s as a body is refused by its own code', async (_, body, headers, status, code) => {
  const started = performance.now();
  const response = await ask(world, '/v1/jobs', { body, headers });
  expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
  expect(performance.now() - started).toBeLessThan(500);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test.each([
  ['a number too large for a double', '1e400'],
  ['an integer that is not exact', '12345678901234567890'],
  ['minus zero', '-0'],
])('%s is an unsafe_number', async (_, number) => {
  const body = inPayload(`{"childName":"Ada","age":5,"theme":"x","pages":${number}}`);
  const problem = await problemOf(await ask(world, '/v1/jobs', { body }));
  expect(problem.status).toBe(422);
  expect(problem.errors).toContainEqual(
    expect.objectContaining({ code: 'unsafe_number', pointer: '/payload/pages' }),
  );
});

test.each([
  ['a charset in capitals', { 'content-type': 'application/json; charset="UTF-8"' }],
  ['a type in capitals', { 'content-type': 'Application/JSON' }],
  ['the encoding that changes nothing', { 'content-encoding': 'identity' }],
])('%s is accepted', async (_, headers) => {
  expect((await ask(world, '/v1/jobs', { body: good, headers })).status).toBe(202);
});

test('a body of exactly 256 kB, or with depth 32, is judged by its schema', async () => {
  const full = await ask(world, '/v1/jobs', {
    body: inPayload(`"${'a'.repeat(262_144 - inPayload('""').length)}"`),
  });
  const deep = await ask(world, '/v1/jobs', { body: inPayload(nested(30)) });
  expect([full.status, deep.status]).toEqual([422, 422]);
});

test('a refused body does not cost the connection, and nothing of it is stored', async () => {
  const before = await countRows(world, 'job');
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${world.keys.admin}\r\nContent-Type: application/json\r\n`;
  const large = 'x'.repeat(300_000);
  const text = await sendRaw(
    world,
    `${head}Content-Length: ${large.length}\r\n\r\n${large}${head}Connection: close\r\nContent-Length: 2\r\n\r\n{}`,
  );
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 422']);
  expect(await countRows(world, 'job')).toBe(before);
});

const head = () =>
  `POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${world.keys.admin}\r\nContent-Type: application/json\r\n`;

test.each([
  [
    'a chunked body without end',
    'Transfer-Encoding: chunked\r\n\r\n5\r\n{"kin',
    false,
    408,
    'request_timeout',
  ],
  [
    'a Content-Length that promises more',
    'Content-Length: 90\r\n\r\n{"kind":1}',
    false,
    408,
    'request_timeout',
  ],
  ['a Content-Length cut off', 'Content-Length: 90\r\n\r\n{"kind":1}', true, 400, 'invalid_request'],
  ['a Content-Length that says less', 'Content-Length: 5\r\n\r\n{"kind":1}', false, 400, 'invalid_request'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}', false, 400, 'invalid_request'],
  [
    'length and chunks',
    'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    false,
    400,
    'invalid_request',
  ],
  ['a length that is no number', 'Content-Length: two\r\n\r\n{}', false, 400, 'invalid_request'],
])('%s ends in an answer and a closed connection', async (_, rest, end, status, code) => {
  const text = await sendRaw(world, head() + rest, end);
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text).toContain(`"code":"${code}"`);
  expect(text).toContain('application/problem+json');
});

test('a body of endless chunks is a 413, and the connection does not live on it', async () => {
  const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
  const text = await sendRaw(world, `${head()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`);
  expect(text).toMatch(/^HTTP\/1.1 413 /);
});

test('what a text holds counts neither as depth nor as keys or items', () => {
  const value = { title: '[{:,"\\'.repeat(20_000), '\\': '"' };
  expect(parseJson(Buffer.from(JSON.stringify(value)))).toEqual(value);
});
