// One request against servers that answer badly, late, in part or not at all, and waiting through them.
// Covers: client/request.ts, client/wait.ts
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { connect, JobTimeout, type Client } from '../../client/index.ts';
import { eventually } from '../support/house.ts';

type Answer = (res: ServerResponse) => unknown;

const id = '0199f3a0-0000-7000-8000-000000000001';
const running = { id, state: 'running', final: false, tree: { open: 0 } };
const done = { ...running, state: 'succeeded', final: true, result: { pages: 3 } };
const say =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (res) =>
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const cut: Answer = (res) => {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': '900' });
  res.write('{"id":');
  setImmediate(() => res.destroy());
};
const html: Answer = (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>');
const silence: Answer = () => undefined;

const servers: (() => void)[] = [];
afterEach(() => servers.splice(0).forEach((close) => close()));

/** Answers each request as the next entry says, and those after the last like the last. */
async function against(
  answers: readonly Answer[],
): Promise<{ url: string; client: Client; sent: () => number }> {
  let sent = 0;
  const server = createServer((_req, res) => {
    const answer = answers[Math.min(sent, answers.length - 1)];
    sent += 1;
    answer?.(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, client: connect({ url, key: 'k' }), sent: () => sent };
}

test.each([
  ['stj_SECRET\nsecond', {}],
  ['stj_…', {}],
  ['k', { key: 'заказ-7' }],
])('what cannot be a header (%j %j) is told at once, without its text', async (key, options) => {
  let asked = 0;
  const spy: typeof fetch = () => Promise.reject(new Error(`sent ${(asked += 1)}`));
  const sending = connect({ url: 'http://127.0.0.1:1', key, fetch: spy }).enqueue(
    'generate-story',
    { childName: 'Ada', age: 6, theme: 'the sea' },
    options,
  );
  const told =
    'the request was not sent: the API key or the idempotency-key is not one line of plain ASCII text';
  await expect(sending).rejects.toThrow(new TypeError(told));
  expect(asked).toBe(0);
});

test('a payload that is no JSON is told at once, and no server is blamed for it', async () => {
  let asked = 0;
  const spy: typeof fetch = () => Promise.reject(new Error(`sent ${(asked += 1)}`));
  const client = connect<{ payloads: Record<string, unknown>; results: object }>({
    url: 'http://127.0.0.1:1',
    key: 'k',
    fetch: spy,
  });
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const payload of [{ rows: 10n }, circle])
    await expect(client.enqueue('any', payload)).rejects.toThrow(
      /^the request was not sent: its payload is no JSON: /,
    );
  expect(asked).toBe(0);
});

test('an answer that asks for hours of patience is the answer, and is not asked for again', async () => {
  const problem = { code: 'spend_limit_reached', detail: 'the budget is used up' };
  const { client, sent } = await against([say(429, problem, { 'retry-after': '40000' })]);
  await expect(client.get(id)).rejects.toMatchObject({ status: 429, code: 'spend_limit_reached' });
  expect(sent()).toBe(1);
});

test('a good answer that breaks off is asked for again; one that is no JSON is told', async () => {
  const broken = await against([cut, cut, say(200, done)]);
  expect(await broken.client.get(id)).toEqual(done);
  expect(broken.sent()).toBe(3);
  const { client, sent } = await against([html]);
  await expect(client.get(id)).rejects.toMatchObject({ status: 200, code: 'unreadable' });
  expect(sent()).toBe(1);
});

test('no try begins after the patience of the caller', async () => {
  const { url, sent } = await against([say(503, { code: 'ledger_unavailable' }, { 'retry-after': '2' })]);
  const hasty = connect({ url, key: 'k', patienceMs: 500 });
  await expect(hasty.get(id)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(sent()).toBe(1);
});

test('waiting is over in its time, though the server has stopped to answer', async () => {
  const { client, sent } = await against([say(200, running), silence]);
  await expect(client.wait(id, { timeoutMs: 1_200 })).rejects.toThrow(JobTimeout);
  expect(sent()).toBe(2);
  const frozen = await against([silence]);
  await expect(frozen.client.wait(id, { timeoutMs: 100 })).rejects.toThrow(JobTimeout);
});

test('waiting goes on through a server that is away, and not through one that refuses', async () => {
  const away = Array.from({ length: 3 }, () => say(503, { code: 'shutting_down', detail: 'away' }));
  const { url } = await against([say(200, running), ...away, say(200, done)]);
  expect(await connect({ url, key: 'k', patienceMs: 0 }).wait(id)).toEqual({ pages: 3 });
  const refusal = say(404, { code: 'job_not_found', detail: 'no such job' });
  const gone = await against([say(200, running), refusal]);
  await expect(gone.client.wait(id)).rejects.toMatchObject({ code: 'job_not_found' });
});

test('a caller who gives up while the server is silent is told so by his own reason', async () => {
  const { client, sent } = await against([say(200, running), silence]);
  const stop = new AbortController();
  const waiting = client.wait(id, { signal: stop.signal });
  await eventually('it looks again', () => sent() === 2);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test("the JSON of a gateway is nobody's problem document, and a problem has the errors that are a list", async () => {
  for (const foreign of [{ message: 'Forbidden' }, { errors: { a: 1 } }, { code: 7, detail: 'no' }, []]) {
    const { client } = await against([say(403, foreign)]);
    await expect(client.get(id)).rejects.toMatchObject({
      status: 403,
      code: 'unreadable',
      message: expect.stringContaining('without a problem document'),
      errors: [],
    });
  }
  const { client } = await against([say(403, { code: 'forbidden', detail: 'no', errors: 'none' })]);
  const told = { status: 403, code: 'forbidden', message: 'no', errors: [] };
  await expect(client.get(id)).rejects.toMatchObject(told);
});
