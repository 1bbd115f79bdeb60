// The fetch that the SDKs are given, against a real server.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lateErrors, watchedFetch } from '../../providers/http.ts';

const sound = Buffer.concat([Buffer.of(0xff), Buffer.alloc(10_000, ',[{')]);
const bodies: Readonly<Record<string, string | Buffer>> = {
  '/large': 'x'.repeat(1_000_000),
  '/429/large': 'x'.repeat(1_000_000),
  '/ten': '[0,{"a":[1,"]"]},[[{}]],"two"]',
  '/eleven': '[0,{"a":[1,"]"]},[[{}]],"two",3]',
  '/sound': sound,
};
const server = createServer((request, response) => {
  if (request.url === '/reset') response.destroy();
  else
    response
      .writeHead(request.url?.startsWith('/429') === true ? 429 : 200, {
        'retry-after': '4',
        'character-cost': '12',
      })
      .end(bodies[request.url ?? ''] ?? 'ok');
});
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('headers of every answer are seen, and only an accepted one is told of', async () => {
  const costs: (string | null)[] = [];
  const watched = watchedFetch({
    maxBytes: 100,
    onAccepted: (headers) => void costs.push(headers.get('character-cost')),
  });
  await (await watched.fetch(`${url}/429`)).text();
  expect(watched.headers()?.get('retry-after')).toBe('4');
  expect(costs).toEqual([]);
  await (await watched.fetch(`${url}/ok`)).text();
  expect(costs).toEqual(['12']);
});

test('the headers of an earlier answer are not taken for those of a lost one', async () => {
  const watched = watchedFetch({ maxBytes: 100 });
  await (await watched.fetch(`${url}/429`)).text();
  await expect(watched.fetch(`${url}/reset`)).rejects.toThrow('fetch failed');
  expect(watched.headers()).toBeUndefined();
});

test('a late error comes out of the body as it was', async () => {
  const response = await lateErrors(fetch)(`${url}/reset`);
  await expect(response.text()).rejects.toThrow('fetch failed');
  expect(await (await lateErrors(fetch)(`${url}/ok`)).text()).toBe('ok');
});

test('an answer that is too large is cut off, and its error is told from a lost connection and from our own', async () => {
  const watched = watchedFetch({ maxBytes: 100 });
  const response = await watched.fetch(`${url}/large`);
  const error: unknown = await response.text().catch((thrown: unknown) => thrown);
  expect(watched.misread(error)).toEqual({ code: 'bad_output', why: 'the answer has more than 100 bytes' });
  await (await watched.fetch(`${url}/ok`)).text();
  expect(watched.misread(new TypeError('x is not a function'))).toMatchObject({ code: 'bad_output' });
  expect(watched.misread(new TypeError('terminated'))).toBeUndefined();
});

test('what an SDK cannot read of a refusal is judged by the status', async () => {
  const watched = watchedFetch({ maxBytes: 2_000_000 });
  await (await watched.fetch(`${url}/429`)).text();
  const wanted = { code: 'rate_limited', status: 429, retryAfterMs: 4_000 };
  expect(watched.misread(new SyntaxError('not JSON'))).toMatchObject(wanted);
  expect(watched.misread(new TypeError('terminated'))).toMatchObject(wanted);
  expect(watched.misread(Object.assign(new Error('refused'), { statusCode: 429 }))).toBeUndefined();
  const response = await watched.fetch(`${url}/429/large`);
  const error: unknown = await response.text().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'the answer is too large' });
  expect(watched.misread(error)).toMatchObject(wanted);
});

test('an answer with too many values is cut off before anybody parses it; a sound has none', async () => {
  const watched = watchedFetch({ maxBytes: 100_000, maxValues: 10 });
  expect(await (await watched.fetch(`${url}/ten`)).json()).toHaveLength(4);
  expect(Buffer.from(await (await watched.fetch(`${url}/sound`)).arrayBuffer())).toEqual(sound);
  const response = await watched.fetch(`${url}/eleven`);
  const error: unknown = await response.json().catch((thrown: unknown) => thrown);
  expect(watched.misread(error)).toEqual({ code: 'bad_output', why: 'the answer has more than 10 values' });
});
