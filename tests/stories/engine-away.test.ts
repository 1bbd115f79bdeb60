// Covers: workers/maintenance/rescuer.ts, workers/maintenance/reconciler.ts, workers/maintenance/scrubber.ts,
// workers/maintenance/relay-sweep.ts, workers/maintenance/pruner.ts
// The engine is disposable: jobs are accepted without it, and what it forgets is given to it again.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { freePort } from '../../ledger/embedded/port.ts';
import { doubtOf } from '../../ledger/epoch.ts';
import type { Job } from '../../workers/define.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { removeFolder } from '../support/folders.ts';
import { eventually, openHouse, type House } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const runs = new Map<string, number>();
let database: TestDatabase;
let house: House;
let redis: TestRedis | undefined;
let proxy: TestProxy | undefined;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  await house.close();
  await redis?.stop();
  await proxy?.close();
  [redis, proxy] = [undefined, undefined];
  await database.drop();
});

/** The canary is in the engine before the first comparison, its note in the ledger after it: a fault between them is the first one's. */
function engineKnown(): Promise<void> {
  return eventually('the engine is known', async () => (await doubtOf(house.db, house.broker)) === undefined);
}

function play(job: Job): Promise<unknown> {
  runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
  return Promise.resolve({});
}

async function open(redisUrl?: string, databaseUrl = database.url): Promise<void> {
  house = await openHouse({
    databaseUrl,
    redisUrl,
    handlers: { play },
    timers: { STORYTIME_LEASE_MS: 900, STORYTIME_RENEW_MS: 200, STORYTIME_SWEEP_MS: 200 },
  });
}

async function allSucceed(ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => house.until(id, (row) => row.state === 'succeeded')));
}

/** What the looks at the canary saw; a page that was being compared at the loss may have been quicker, and saw nothing. */
function doubts(): string[] {
  return house
    .seen('engine.recovered')
    .map(({ doubt }) => doubt)
    .filter((doubt) => doubt !== 'none');
}

function broughtBack(): number {
  return house.seen('engine.recovered').reduce((sum, event) => sum + event.broughtBack, 0);
}

test('a job enqueued while Redis is down is accepted at once and runs when Redis is there', async () => {
  const port = (await freePort(0)) ?? 0;
  await open(`redis://127.0.0.1:${port}`);
  const start = performance.now();
  const { id, state } = await house.enqueue('play', {});
  expect([state, performance.now() - start < 1_000]).toEqual(['waiting', true]);
  expect(await house.work?.ready()).toEqual({
    ledger: true,
    engine: false,
    engineKind: 'redis',
    engineReason: 'away',
    held: [],
  });
  redis = await startRedis({ port });
  await allSucceed([id]);
  expect(await house.work?.ready()).toEqual({
    ledger: true,
    engine: true,
    engineKind: 'redis',
    engineReason: null,
    held: [],
  });
});

test('Redis killed and back with nothing in it: waiting, delayed and new jobs all run, each once', async () => {
  redis = await startRedis();
  const { port } = redis;
  await open(redis.url);
  const warm = await house.enqueue('play', {});
  await allSucceed([warm.id]);
  const delayed = await Promise.all(
    [600, 900, 1_200].map((delayMs) => house.enqueue('play', {}, { options: { delayMs } })),
  );
  await house.relay.idle();
  await redis.kill();
  const during = await Promise.all([house.enqueue('play', {}), house.enqueue('play', {})]);
  redis = await startRedis({ port });
  const after = await house.enqueue('play', {});
  const ids = [...delayed, ...during, after].map(({ id }) => id);
  await allSucceed(ids);
  expect(ids.map((id) => runs.get(id))).toEqual(ids.map(() => 1));
});

test('a flushed Redis, whose connections stay, is noticed by its canary: delayed jobs keep their time, each runs once', async () => {
  redis = await startRedis();
  await open(redis.url);
  await engineKnown();
  const warm = await house.enqueue('play', {});
  await allSucceed([warm.id]);
  const options = { delayMs: 5_000 };
  const delayed = await Promise.all([1, 2, 3].map(() => house.enqueue('play', {}, { options })));
  await house.relay.idle();
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  await eventually('it is noticed', () => doubts().length > 0, 5_000);
  expect([doubts(), broughtBack()]).toEqual([['missing'], 3]);
  const ids = delayed.map(({ id }) => id);
  await allSucceed(ids);
  expect(ids.map((id) => runs.get(id))).toEqual([1, 1, 1]);
  for (const id of ids) {
    const { createdAt, startedAt, generation } = await house.until(id, () => true);
    expect(generation).toBe(2);
    expect(Number(startedAt) - Number(createdAt)).toBeGreaterThan(4_900);
  }
});

test('a queue that Redis lost while its canary stayed is given its delayed jobs again', async () => {
  redis = await startRedis();
  await open(redis.url);
  await engineKnown();
  const { id } = await house.enqueue('play', {}, { options: { delayMs: 60_000 } });
  await house.relay.idle();
  const client = new Redis(redis.url);
  await client.del(await client.keys('*:play:*'));
  client.disconnect();
  await eventually('it is there', async () => (await house.broker.held('play', [`${id}-2`])).size === 1);
  await eventually('it is told', () => house.seen('engine.recovered').length > 0);
  expect(house.seen('engine.recovered')).toEqual([
    { doubt: 'none', broughtBack: 1, durationMs: expect.anything() },
  ]);
});

test('an old copy of Redis that holds less, with the canary in it, is compared and completed', async () => {
  redis = await startRedis();
  const { port } = redis;
  await open(redis.url);
  await engineKnown();
  const client = new Redis(redis.url);
  const first = await house.enqueue('play', {}, { options: { delayMs: 60_000 } });
  await house.relay.idle();
  await client.save();
  const [, folder = ''] = await client.config('GET', 'dir');
  client.disconnect();
  const second = await house.enqueue('play', {}, { options: { delayMs: 60_000 } });
  await house.relay.idle();
  await redis.kill();
  redis = await startRedis({ port, args: ['--dir', folder] });
  await eventually('it is compared', () => doubts().length > 0, 5_000);
  expect(house.seen('engine.recovered').find(({ doubt }) => doubt !== 'none')).toMatchObject({ compared: 2 });
  expect(broughtBack()).toBe(1);
  const generations = [first, second].map(async ({ id }) => (await house.until(id, () => true)).generation);
  expect(await Promise.all(generations)).toEqual([1, 2]);
  await eventually('both are there', async () => {
    const held = await house.broker.held('play', [`${first.id}-1`, `${second.id}-2`]);
    return held.size === 2;
  });
  await removeFolder(folder);
});

test('PostgreSQL away and back, ledger and engine at once: what was accepted runs without a restart', async () => {
  proxy = await startProxy(database.url);
  await open(undefined, proxy.url);
  const warm = await house.enqueue('play', {});
  await allSucceed([warm.id]);
  const { id } = await house.enqueue('play', {}, { options: { delayMs: 500 } });
  proxy.cut();
  await expect(house.enqueue('play', {})).rejects.toThrow();
  await eventually('it is missed', async () => (await house.work?.ready())?.ledger === false);
  proxy.restore();
  const after = await house.enqueue('play', {});
  await allSucceed([id, after.id]);
});
