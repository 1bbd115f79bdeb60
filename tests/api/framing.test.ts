import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, openApi, problemOf, sendRaw, type ApiWorld } from './world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi({ requestTimeoutMs: 1_000 });
});
afterAll(() => world.close());

const close = 'Connection: close\r\n';

test.each([
  ['a header block of 20 kB', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['200 headers', `GET /livez HTTP/1.1\r\nHost: a\r\n${close}${'X: y\r\n'.repeat(200)}\r\n`, 431],
  ['a bare CR in a header', 'GET /livez HTTP/1.1\r\nHost: a\r\nX: a\rb: c\r\n\r\n', 400],
  ['a NUL in a header', 'GET /livez HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400],
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['no Host', `GET /livez HTTP/1.1\r\n${close}\r\n`, 400],
  ['a broken escape in the path', `GET /v1/queues/%zz HTTP/1.1\r\nHost: a\r\n${close}\r\n`, 400],
  ['a slow header block', 'GET /livez HTTP/1.1\r\nHost:', 408],
])('%s is answered with a problem and no stack', async (_, request, status) => {
  const text = await sendRaw(world, request);
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text).toContain('Content-Type: application/problem+json');
  expect(text).toContain('X-Content-Type-Options: nosniff');
  expect(text).not.toMatch(/node_modules|\.ts:\d|at .*\(/);
});

test.each([
  ['/v1/queues?x=1', 'unknown_parameter'],
  ['/v1/queues?limit[$gt]=1', 'unknown_parameter'],
  ['/v1/jobs/0199f3a0-0000-7000-8000-000000000001?include=steps&include=attempts', 'unknown_parameter'],
  ['/v1/jobs/0199f3a0-0000-7000-8000-000000000001?include=payload', 'invalid_parameter'],
  ['/v1/jobs/0199f3a0-0000-7000-8000-000000000001?include=', 'invalid_parameter'],
  ['/readyz?verbose&x', 'unknown_parameter'],
])('%s is a 400 %s', async (path, code) => {
  const response = await ask(world, path);
  expect([response.status, (await problemOf(response)).code]).toEqual([400, code]);
});

test('an expectation that is not known is ignored', async () => {
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: a\r\n${close}Expect: x\r\nContent-Length: 0\r\n\r\n`;
  const text = await sendRaw(world, head);
  expect(text).toMatch(/^HTTP\/1.1 401 /);
  expect(text).toContain('Content-Type: application/problem+json');
});

test('a parameter on an enqueue is refused too', async () => {
  const response = await ask(world, '/v1/jobs?delayMs=5', { body: {} });
  expect((await problemOf(response)).code).toBe('unknown_parameter');
});

test.each([
  ['GET', '/nothing', 404, 'not_found', null],
  ['GET', '/', 404, 'not_found', null],
  ['GET', '/V1/queues', 404, 'not_found', null],
  ['GET', '/v1/jobs', 405, 'method_not_allowed', 'POST'],
  ['DELETE', '/v1/jobs', 405, 'method_not_allowed', 'POST'],
  ['OPTIONS', '/v1/jobs', 405, 'method_not_allowed', 'POST'],
  ['POST', '/v1/queues', 405, 'method_not_allowed', 'GET, HEAD'],
  ['PATCH', '/v1/jobs/0199f3a0-0000-7000-8000-000000000001', 405, 'method_not_allowed', 'GET, HEAD'],
  ['POST', '/livez', 405, 'method_not_allowed', 'GET, HEAD'],
])('%s %s is a %d %s', async (method, path, status, code, allow) => {
  const response = await ask(world, path, { method });
  expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
  expect(response.headers.get('allow')).toBe(allow);
});

test('every answer carries the strict headers, no cookie, no CORS and no name of the software', async () => {
  const origin = { origin: 'https://evil.test' };
  for (const path of ['/livez', '/v1/queues', '/nothing']) {
    const { headers } = await ask(world, path, { headers: origin });
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toContain('max-age=');
    for (const name of ['access-control-allow-origin', 'x-powered-by', 'set-cookie', 'server'])
      expect(headers.get(name)).toBeNull();
  }
});

test('a sane request id is kept and echoed, any other is replaced, and a problem is an instance of it', async () => {
  const kept = await ask(world, '/nothing', { headers: { 'x-request-id': 'main-api/42' } });
  expect(kept.headers.get('x-request-id')).toBe('main-api/42');
  expect((await problemOf(kept)).instance).toBe('main-api/42');
  for (const strange of ['a b', '<script>', 'x'.repeat(129)]) {
    const replaced = await ask(world, '/livez', { headers: { 'x-request-id': strange } });
    expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('what a problem repeats is escaped and cut', async () => {
  const name = encodeURIComponent(`\u001b[31m${'<b>'.repeat(100)}`);
  const problem = await problemOf(await ask(world, `/v1/queues/${name}`));
  expect(problem).toMatchObject({ status: 404, code: 'queue_not_found' });
  expect(problem.detail).not.toContain('\u001b');
  expect(problem.detail.length).toBeLessThan(300);
});
