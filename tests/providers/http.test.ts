// The fetch that the SDKs are given, against a real server.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lateErrors, watchedFetch } from '../../providers/http.ts';

const server = createServer((request, response) => {
  if (request.url === '/reset') response.destroy();
  else
    response
      .writeHead(request.url === '/429' ? 429 : 200, { 'retry-after': '4', 'character-cost': '12' })
      .end('ok');
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
  const watched = watchedFetch((headers) => costs.push(headers.get('character-cost')));
  await (await watched.fetch(`${url}/429`)).text();
  expect(watched.headers()?.get('retry-after')).toBe('4');
  expect(costs).toEqual([]);
  await (await watched.fetch(`${url}/ok`)).text();
  expect(costs).toEqual(['12']);
});

test('the headers of an earlier answer are not taken for those of a lost one', async () => {
  const watched = watchedFetch();
  await (await watched.fetch(`${url}/429`)).text();
  await expect(watched.fetch(`${url}/reset`)).rejects.toThrow('fetch failed');
  expect(watched.headers()).toBeUndefined();
});

test('a late error comes out of the body as it was', async () => {
  const response = await lateErrors(fetch)(`${url}/reset`);
  await expect(response.text()).rejects.toThrow('fetch failed');
  expect(await (await lateErrors(fetch)(`${url}/ok`)).text()).toBe('ok');
});
