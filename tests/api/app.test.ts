// Covers: api/client-error.ts, api/deps.ts, api/exchange.ts, api/idempotency.ts, api/job-body.ts, api/json.ts,
// api/openapi.ts, api/openapi-providers.ts, api/problems.ts, api/request-id.ts
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createApi } from '../../api/app.ts';
import { ask, depsOf, openApi, storyBody } from './world.ts';

const names = (answer: Response | undefined) => [...(answer?.headers.keys() ?? [])];

test('an enqueue is the same by the shortcut, through the router, and with its address spelled in full', async () => {
  const world = await openApi();
  const server = createServer(createApi(depsOf(world))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const routed = { ...world.api, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const send = (api: typeof world.api, path = '/v1/jobs') =>
    ask({ ...world, api }, path, { body: storyBody, headers: { 'idempotency-key': 'same' } });
  const answers = [await send(world.api), await send(routed), await send(world.api, '/v1/jobs?')];
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id));
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202]);
  expect(new Set(ids).size).toBe(1);
  expect(names(answers[1])).toEqual(names(answers[2]));
  server.closeAllConnections();
  server.close();
  await world.close();
});
