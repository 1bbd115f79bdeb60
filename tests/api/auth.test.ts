import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createKey } from '../../ledger/keys.ts';
import { query } from '../ledger/world.ts';
import { ask, openApi, post, problemOf, sendRaw, storyBody, type ApiWorld } from './world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

const nobody = { key: undefined } as const;
const asked = (key: string) => ({ authorization: `Bearer ${key}`, 'x-request-id': 'same' });

test.each([
  ['POST', '/v1/jobs'],
  ['GET', '/v1/jobs/0199f3a0-0000-7000-8000-000000000001'],
  ['POST', '/v1/jobs/0199f3a0-0000-7000-8000-000000000001/cancel'],
  ['GET', '/v1/queues'],
  ['GET', '/v1/queues/email'],
  ['GET', '/v1/artifacts/0199f3a0-0000-7000-8000-000000000001'],
  ['GET', '/openapi.json'],
  ['HEAD', '/v1/queues'],
])('%s %s without a key is a 401 that says how to authenticate', async (method, path) => {
  const response = await ask(world, path, { ...nobody, method });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
  if (method !== 'HEAD') expect(await problemOf(response)).toMatchObject({ code: 'unauthenticated' });
});

test.each([
  ['a stranger', `Bearer stj_${'x'.repeat(43)}`],
  ['no key of ours', 'Bearer changeme'],
  ['Basic', 'Basic YTpi'],
  ['a JWT', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
  ['a signature', 'HMAC-SHA256 abc'],
  ['a key without its scheme', 'stj_abc'],
  ['an empty key', 'Bearer '],
])('%s is a 401 invalid_credentials', async (_, authorization) => {
  const response = await ask(world, '/v1/queues', { ...nobody, headers: { authorization } });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await problemOf(response)).toMatchObject({ code: 'invalid_credentials' });
});

test('a wrong secret with a right prefix gets the very answer of a stranger', async () => {
  const key = world.keys.admin;
  const near = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
  const one = await ask(world, '/v1/queues', { ...nobody, headers: asked(near) });
  const other = await ask(world, '/v1/queues', { ...nobody, headers: asked(`stj_${'x'.repeat(43)}`) });
  expect(await one.text()).toBe(await other.text());
});

test.each([
  ['expired', 'expires_at'],
  ['revoked', 'revoked_at'],
])('a key that is %s is a 401 credentials_expired', async (_, column) => {
  const { id, key } = await createKey(world.db, { name: 'old', tenant: 'acme', scopes: ['admin'] });
  await query(world, `UPDATE api_key SET ${column} = now() - interval '1 s' WHERE id = $1`, [id]);
  const response = await ask(world, '/v1/queues', { ...nobody, headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(401);
  expect(await problemOf(response)).toMatchObject({ code: 'credentials_expired' });
});

test('a key in the address or in the body is no key, and reaches no event', async () => {
  const key = world.keys.admin;
  const inAddress = await ask(world, `/v1/queues?key=${key}`, nobody);
  const inBody = await ask(world, '/v1/jobs', { ...nobody, body: { ...storyBody, key } });
  expect([inAddress.status, inBody.status]).toEqual([401, 401]);
  expect(JSON.stringify([world.answered, world.notices])).not.toContain(key.slice(12));
});

test('ten wrong keys in a minute are told to wait at the cost of one look; a right key goes on, also a new one', async () => {
  const busy = await openApi();
  const look = jest.spyOn(busy.db, 'run');
  const guess = (n: number) =>
    ask(busy, '/v1/queues', { ...nobody, headers: asked(`stj_${String(n).padStart(43, 'g')}`) });
  for (let n = 0; n < 10; n += 1) expect((await guess(n)).status).toBe(401);
  const looks = look.mock.calls.length;
  for (let n = 10; n < 20; n += 1) {
    const slowed = await guess(n);
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(slowed)).toMatchObject({ status: 429, code: 'auth_throttled' });
  }
  expect(looks).toBeGreaterThanOrEqual(10);
  expect(look.mock.calls.length - looks).toBeLessThan(4); // one in five seconds
  for (const key of ['admin', 'reader'] as const)
    expect((await ask(busy, '/v1/queues', { key })).status).toBe(200);
  await busy.close();
});

test('two Authorization headers are ambiguous', async () => {
  const lines = `authorization: Bearer ${world.keys.admin}\r\nAuthorization: Bearer ${world.keys.reader}\r\n`;
  const text = await sendRaw(
    world,
    `GET /v1/queues HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`,
  );
  expect(text).toMatch(/^HTTP\/1.1 400 /);
  expect(text).toContain('"code":"ambiguous_credentials"');
});

test('a key enqueues to its queues only, and learns nothing about the payloads of others', async () => {
  const report = { kind: 'generate-report', payload: { report: 'nonsense', extra: 1 } };
  const refused = await ask(world, '/v1/jobs', { key: 'stories', body: report });
  expect(refused.status).toBe(403);
  const problem = await problemOf(refused);
  expect(problem).toMatchObject({
    code: 'insufficient_scope',
    details: { scope: 'enqueue:reports' },
    errors: [],
  });
  expect((await ask(world, '/v1/jobs', { key: 'stories', body: storyBody })).status).toBe(202);
  const reader = await ask(world, '/v1/jobs', { key: 'reader', body: { kind: 'nonsense' } });
  expect([reader.status, (await problemOf(reader)).code]).toEqual([403, 'insufficient_scope']);
});

test('reading and cancelling take scopes of their own', async () => {
  const id = await post(world);
  expect((await ask(world, `/v1/jobs/${id}`, { key: 'stories' })).status).toBe(403);
  expect((await ask(world, '/v1/queues', { key: 'stories' })).status).toBe(403);
  const cancel = await ask(world, `/v1/jobs/${id}/cancel`, { key: 'reader', method: 'POST' });
  expect([cancel.status, (await problemOf(cancel)).code]).toEqual([403, 'insufficient_scope']);
});

test('the jobs of another tenant are not there, to read or to cancel', async () => {
  const id = await post(world);
  for (const [path, method] of [
    [`/v1/jobs/${id}`, 'GET'],
    [`/v1/jobs/${id}/cancel`, 'POST'],
  ] as const) {
    const response = await ask(world, path, { key: 'stranger', method });
    expect([response.status, (await problemOf(response)).code]).toEqual([404, 'job_not_found']);
  }
});
