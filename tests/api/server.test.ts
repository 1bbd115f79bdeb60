import { EventEmitter, once } from 'node:events';
import { expect, test } from '@jest/globals';
import { startApi } from '../../api/server.ts';
import { askAndNeverRead } from '../support/deaf.ts';
import { ask, depsOf, openApi, storyBody, type ApiWorld } from './world.ts';

async function withApi(use: (world: ApiWorld) => Promise<void>): Promise<void> {
  const world = await openApi();
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

test('a stop waits for what has arrived, answers it, and leaves no connection behind', async () => {
  const gate = new EventEmitter();
  const world = await openApi({
    async enqueue({ job }) {
      gate.emit('arrived');
      await once(gate, 'open');
      return {
        id: job.id,
        kind: job.kind,
        queue: job.queue,
        state: 'waiting',
        createdAt: new Date(),
        repeated: false,
      };
    },
  });
  const arrived = once(gate, 'arrived');
  const answer = ask(world, '/v1/jobs', { body: storyBody });
  await arrived;
  const closed = world.api.close();
  await expect(fetch(`${world.api.url}/livez`)).rejects.toThrow('fetch failed');
  gate.emit('open');
  expect((await answer).status).toBe(202);
  await closed;
  await world.close();
});

test('a stop turns unready first, and goes on answering until whoever balances the load has seen it', async () => {
  const world = await openApi({ drainMs: 1_500 });
  const closed = world.api.close();
  const ready = await fetch(`${world.api.url}/readyz?verbose`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'unavailable', draining: true }]);
  const late = await ask(world, '/v1/jobs', { body: storyBody });
  expect([late.status, late.headers.get('connection')]).toEqual([202, 'close']);
  await closed;
  await expect(fetch(`${world.api.url}/livez`)).rejects.toThrow('fetch failed');
  await world.close();
});

test('a client that does not read its answer loses the connection', async () => {
  const metrics = { text: async () => 'x'.repeat(50_000_000), contentType: 'text/plain' };
  const world = await openApi({ silenceMs: 500, metrics });
  const key = `Authorization: Bearer ${world.keys.reader}\r\n`;
  await askAndNeverRead(world.api.url, `GET /metrics HTTP/1.1\r\nHost: a\r\n${key}\r\n`);
  await world.close();
});

test('a port in use is said in one sentence', async () => {
  await withApi(async (world) => {
    const again = startApi({ ...depsOf(world), host: '127.0.0.1', port: world.api.port });
    await expect(again).rejects.toThrow(
      `starting the API failed: the port is in use (127.0.0.1:${world.api.port})`,
    );
  });
});

test('every request is one event with its route, never its address', async () => {
  await withApi(async (world) => {
    const id = '0199f3a0-0000-7000-8000-000000000001';
    await ask(world, `/v1/jobs/${id}`, { headers: { 'x-request-id': 'r-7' } });
    expect(world.answered).toEqual([
      {
        method: 'GET',
        route: '/v1/jobs/:id',
        status: 404,
        code: 'job_not_found',
        requestId: 'r-7',
        durationMs: expect.any(Number),
      },
    ]);
  });
});

test('an error of our own is a 500 without its message, and a notice with it', async () => {
  const world = await openApi({
    enqueue: () => Promise.reject(new Error('secret detail: select * from job')),
  });
  const response = await ask(world, '/v1/jobs', { body: storyBody });
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).not.toMatch(/secret|select|\.ts/);
  expect(world.notices).toContainEqual(expect.objectContaining({ level: 'error' }));
  await world.close();
});
