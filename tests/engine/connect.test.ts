// Covers: engine/broker.ts, engine/consume.ts, engine/redis.ts
// What the contract suite of both engines cannot show: an engine that is not there, and one that is closed in the middle.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createBroker } from '../../engine/broker.ts';
import { openEngine, type Engine } from '../../engine/connect.ts';
import { consume } from '../../engine/consume.ts';
import type { Delivery, EngineJob } from '../../engine/types.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/house.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let database: TestDatabase;
let redis: TestRedis;
beforeAll(async () => {
  [database, redis] = await Promise.all([createDatabase(), startRedis()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), redis.stop()]);
});

function open(change: { redisUrl?: string; databaseUrl?: string }): Engine {
  return openEngine({
    databaseUrl: database.url,
    redisUrl: undefined,
    workers: 1,
    ...change,
  });
}

function entry(jobId: string, delayMs = 0): EngineJob {
  return {
    kind: 'play',
    priority: 5,
    delayMs,
    data: { jobId, generation: 1, attempt: '1/3', tenant: 'test', summary: '' },
  };
}

test('options in the address of PostgreSQL do not lead the engine to other tables', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c search_path=public');
  const engine = open({ databaseUrl: url.href });
  const { store } = await engine.ready;
  try {
    const answer = store.kind === 'postgres' ? await store.pool.query('SELECT current_schema()') : undefined;
    expect(answer?.rows).toEqual([{ current_schema: 'bullmq' }]);
  } finally {
    await engine.close();
  }
});

for (const [name, change] of [
  ['Redis', { redisUrl: 'redis://127.0.0.1:1' }],
  ['PostgreSQL', { databaseUrl: 'postgres://nobody@127.0.0.1:1/none' }],
] as const) {
  test(`without ${name} everything says so at once, nothing hangs, and it closes`, async () => {
    const engine = open(change);
    const broker = createBroker(engine, ['play']);
    expect(broker.ready).toBe(false);
    for (const use of [
      () => broker.add('play', [entry('a')]),
      () => broker.held('play', ['a']),
      () => broker.readEpoch(),
      () => broker.ping(),
    ])
      await expect(use()).rejects.toThrow('engine failed: it is not connected yet');
    const start = performance.now();
    await Promise.all([broker.close(), engine.close()]);
    await expect(engine.ready).rejects.toThrow();
    expect(performance.now() - start).toBeLessThan(2_500);
  });
}

for (const kind of ['postgres', 'redis'] as const) {
  test(`${kind}: what waits is known, what is removed is gone, and what is delivered carries no payload`, async () => {
    const engine = open(kind === 'redis' ? { redisUrl: redis.url } : {});
    const broker = createBroker(engine, ['play']);
    const link = await engine.ready;
    await broker.add('play', [entry('now'), entry('later', 60_000), entry('gone')]);
    await broker.remove('play', 'gone-1');
    await broker.remove('play', 'never-1');
    expect(await broker.held('play', ['now-1', 'later-1', 'gone-1', 'never-1'])).toEqual(
      new Map([
        ['now-1', 'queued'],
        ['later-1', 'queued'],
      ]),
    );
    await expect(broker.add('unknown', [entry('x')])).rejects.toThrow('no queue unknown');
    const deliveries: Delivery[] = [];
    const consumer = consume(link, 'play', { concurrency: 2, emit: () => undefined }, (delivery) => {
      deliveries.push(delivery);
      return Promise.resolve({ failed: false, outcome: 'succeeded' });
    });
    await eventually('it is delivered', () => deliveries.length === 1);
    expect(deliveries[0]).toMatchObject({ kind: 'play', queue: 'play', data: entry('now').data });
    await consumer.pause();
    // What BullMQ asked for before it was paused still comes: at most one job for each place. Nothing comes after that.
    const after = Array.from({ length: 6 }, (_, index) => `after-${index}`);
    await broker.add(
      'play',
      after.map((id) => entry(id)),
    );
    await consumer.close(false);
    const wait = await broker.held('play', [...after.map((id) => `${id}-1`), 'now-1']);
    expect(new Set(wait.values())).toEqual(new Set(['queued']));
    expect([...wait.keys(), ...deliveries.map(({ data }) => `${data.jobId}-1`)].toSorted()).toEqual(
      [...after.map((id) => `${id}-1`), 'now-1'].toSorted(),
    );
    expect(deliveries.length).toBeLessThanOrEqual(1 + 2);
    await broker.close();
    await engine.close();
  });
}

for (const kind of ['postgres', 'redis'] as const) {
  test(`${kind}: a consumer takes nothing while held, and a rebuilt one goes on; what is under way ends as usual`, async () => {
    const engine = open(kind === 'redis' ? { redisUrl: redis.url } : {});
    const broker = createBroker(engine, ['held']);
    const link = await engine.ready;
    const taken: string[] = [];
    let finish: (() => void) | undefined;
    const consumer = consume(
      link,
      'held',
      { concurrency: 2, emit: () => undefined, held: true },
      async ({ data }) => {
        taken.push(data.jobId);
        if (data.jobId === 'slow') await new Promise<void>((resolve) => (finish = resolve));
        return { failed: false, outcome: 'succeeded' };
      },
    );
    await broker.add('held', [entry('slow')]);
    expect([consumer.freeSlots, taken]).toEqual([0, []]);
    consumer.take();
    await eventually('it is delivered', () => finish !== undefined);
    expect(consumer.freeSlots).toBe(1);
    consumer.rebuild();
    await broker.add('held', [entry('second')]);
    await eventually('the new worker takes', () => taken.includes('second'));
    consumer.hold();
    finish?.();
    // BullMQ has asked for one more already, and is given it: it goes back.
    const more = Array.from({ length: 20 }, (_, index) => `more-${index}`);
    for (const id of more) await broker.add('held', [entry(id)]);
    const ids = more.map((id) => `${id}-1`);
    await eventually('all of them wait', async () => {
      const held = [...(await broker.held('held', ids)).values()];
      return held.length === more.length && held.every((state) => state === 'queued');
    });
    expect(taken).toEqual(['slow', 'second']);
    consumer.take();
    await eventually('it takes them all', () => more.every((id) => taken.includes(id)));
    expect(taken).toHaveLength(2 + more.length);
    await consumer.close(true);
    await broker.close();
    await engine.close();
  });
}

for (const kind of ['postgres', 'redis'] as const) {
  test(`${kind}: a delay counts from the ledger's time, whatever the producer's clock says`, async () => {
    const engine = open(kind === 'redis' ? { redisUrl: redis.url } : {});
    const broker = createBroker(engine, ['timed']);
    const link = await engine.ready;
    const hour = 3_600_000;
    await broker.add('timed', [{ ...entry('due', hour + 300), countedAtMs: Date.now() - hour }]);
    const taken: string[] = [];
    const consumer = consume(link, 'timed', { concurrency: 1, emit: () => undefined }, ({ data }) => {
      taken.push(data.jobId);
      return Promise.resolve({ failed: false, outcome: 'succeeded' });
    });
    await eventually('it is delivered', () => taken.length === 1);
    await consumer.close(true);
    await broker.close();
    await engine.close();
  });
}

test('a plain address of a node of a cluster says what to write instead', async () => {
  const node = await startRedis({ args: ['--cluster-enabled', 'yes'] });
  const engine = open({ redisUrl: node.url });
  await eventually('it is refused', () => engine.problem() !== undefined);
  expect(engine.problem()).toContain('redis+cluster://');
  await engine.close();
  await node.stop();
});

test('a Redis that became a replica behind its address is left for the one that has its place', async () => {
  const next = await startRedis();
  let { port } = redis;
  const door = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => [near, far].forEach((socket) => socket.destroy()));
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const engine = open({ redisUrl: `redis://127.0.0.1:${(door.address() as AddressInfo).port}` });
  const broker = createBroker(engine, ['play']);
  await engine.ready;
  await broker.add('play', [entry('before')]);
  const old = new Redis(redis.url);
  await old.replicaof('127.0.0.1', String(next.port));
  ({ port } = next);
  await eventually('it takes jobs again', () =>
    broker.add('play', [entry('after')]).then(
      () => true,
      () => false,
    ),
  );
  await old.replicaof('NO', 'ONE');
  old.disconnect();
  await broker.close();
  await engine.close();
  door.close();
  await next.stop();
});
