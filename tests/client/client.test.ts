// Covers: client/errors.ts
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, JobDead, JobTimeout, ProblemError, type Client } from '../../client/index.ts';
import { openApi, type ApiWorld } from '../api/world.ts';
import { countRows, setJob, story } from '../ledger/world.ts';

let world: ApiWorld;
let client: Client;
beforeAll(async () => {
  world = await openApi();
  client = connect({ url: world.api.url, key: world.keys.admin });
});
afterAll(() => world.close());

/** A server in front of the API that answers each request as the next entry says, and passes it on after the last. */
async function withTrouble(
  troubles: readonly ('cut before' | 'cut after' | { status: number; retryAfter?: string })[],
  use: (url: string, seen: IncomingMessage[]) => Promise<void>,
): Promise<void> {
  const seen: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    const trouble = troubles[seen.length];
    seen.push(req);
    if (trouble === 'cut before') return void req.socket.destroy();
    if (typeof trouble === 'object') {
      return void res.writeHead(trouble.status, { 'retry-after': trouble.retryAfter ?? '0' }).end('{}');
    }
    const pass = async (): Promise<void> => {
      const body = Buffer.concat((await req.toArray()) as Buffer[]);
      const headers = { ...(req.headers as Record<string, string>) };
      delete headers['host'];
      delete headers['connection'];
      const answer = await fetch(`${world.api.url}${req.url}`, { method: 'POST', headers, body });
      if (trouble === 'cut after') return void req.socket.destroy();
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    };
    void pass();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('an enqueue is typed by its kind and gives the job', async () => {
  const job = await client.enqueue('generate-story', story, { priority: 'low', delayMs: 60_000 });
  expect(job).toMatchObject({ kind: 'generate-story', state: 'scheduled', repeated: false });
  expect(await client.get(job.id)).toMatchObject({ id: job.id, priority: 'low', final: false });
  expect(await client.get(job.id, { include: ['attempts', 'steps'] })).toMatchObject({
    attempts: [],
    steps: [],
  });
  // @ts-expect-error a wrong payload does not compile
  await expect(client.enqueue('generate-story', { childName: 'Ada' })).rejects.toThrow(ProblemError);
  // @ts-expect-error an unknown kind does not compile
  await expect(client.enqueue('generate-stories', story)).rejects.toThrow('did you mean generate-story?');
});

test('answers that are lost, a full server and a restart make one job, however often it is sent', async () => {
  const before = await countRows(world, 'job');
  const troubles = ['cut after', 'cut before', { status: 503 }, { status: 429 }] as const;
  await withTrouble(troubles, async (url, seen) => {
    const job = await connect({ url, key: world.keys.admin }).enqueue('generate-story', story);
    expect(job.repeated).toBe(true);
    expect(seen).toHaveLength(5);
    expect(new Set(seen.map((req) => req.headers['idempotency-key'])).size).toBe(1);
  });
  expect(await countRows(world, 'job')).toBe(before + 1);
});

test('the server says how long to wait, and is believed', async () => {
  await withTrouble([{ status: 503, retryAfter: '1' }], async (url) => {
    const started = performance.now();
    await connect({ url, key: world.keys.admin }).enqueue('generate-story', story);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });
});

test('a key of the caller, quotes and all, means one job', async () => {
  const key = 'say "story" \\ 7';
  const first = await client.enqueue('generate-story', story, { key });
  expect(await client.enqueue('generate-story', story, { key })).toMatchObject({
    id: first.id,
    repeated: true,
  });
  const other = client.enqueue('generate-story', { ...story, age: 7 }, { key });
  await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 });
});

test('a refusal carries its code and every error, and is not sent again', async () => {
  const answered = world.answered.length;
  const wrong = client.enqueue('generate-story', { ...story, age: 200, theme: ' ' });
  await expect(wrong).rejects.toMatchObject({
    name: 'ProblemError',
    status: 422,
    code: 'validation_failed',
    errors: [{ pointer: '/payload/age' }, { pointer: '/payload/theme' }],
  });
  expect(world.answered.length).toBe(answered + 1);
  const stranger = connect({ url: world.api.url, key: `stj_${'x'.repeat(43)}` });
  await expect(stranger.get('0199f3a0-0000-7000-8000-000000000001')).rejects.toMatchObject({ status: 401 });
});

test('a caller who gives up stops the sending', async () => {
  const signal = AbortSignal.timeout(150);
  const nobody = connect({ url: 'http://127.0.0.1:1', key: 'k' });
  await expect(nobody.enqueue('generate-story', story, { signal })).rejects.toThrow('timeout');
});

test('waiting gives the typed result, and every change on the way', async () => {
  const job = await client.enqueue('generate-story', story);
  const seen: number[] = [];
  const result = await client.wait(job, {
    onProgress(status) {
      seen.push(status.progress.percent);
      if (status.progress.percent === 0) void setJob(world, job.id, `state = 'running', progress = 50`);
      else if (!status.final)
        void setJob(
          world,
          job.id,
          `state = 'succeeded', finished_at = now(), progress = 100, result = '{"storyId":"s","title":"The Sea","pages":3}'`,
        );
    },
  });
  expect(result.title).toBe('The Sea');
  expect(seen).toEqual([0, 50, 100]);
});

test('waiting for the family goes on until the last of it has ended', async () => {
  const root = await client.enqueue('generate-story', story);
  const child = await client.enqueue('generate-story', story);
  await setJob(world, child.id, `root_id = '${root.id}', parent_id = '${root.id}'`);
  await setJob(world, root.id, `state = 'succeeded', finished_at = now(), result = '{"pages":3}'`);
  expect(await client.wait(root.id)).toEqual({ pages: 3 });
  await expect(client.wait(root.id, { tree: true, timeoutMs: 50 })).rejects.toThrow(JobTimeout);
  await setJob(world, child.id, `state = 'dead', finished_at = now()`);
  expect(await client.wait(root.id, { tree: true, timeoutMs: 50 })).toEqual({ pages: 3 });
});

test.each(['dead', 'cancelled', 'expired'])('waiting for a job that is %s ends with that', async (state) => {
  const job = await client.enqueue('generate-story', story);
  await setJob(
    world,
    job.id,
    `state = '${state}', finished_at = now(), error_code = 'bug', error_message = 'broke'`,
  );
  const waiting = client.wait(job);
  await expect(waiting).rejects.toBeInstanceOf(JobDead);
  await expect(waiting).rejects.toMatchObject({
    state,
    code: 'bug',
    message: expect.stringContaining('broke'),
  });
});

test('a cancel ends a job, and may be sent twice', async () => {
  const { id } = await client.enqueue('generate-story', story);
  const cancelled = { id, state: 'cancelled', cancelRequested: true };
  expect([await client.cancel(id), await client.cancel(id)]).toEqual([cancelled, cancelled]);
  expect(await client.get(id)).toMatchObject({ state: 'cancelled', cancelRequestedAt: expect.any(String) });
});
