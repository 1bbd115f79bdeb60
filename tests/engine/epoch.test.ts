// Covers: engine/held.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { migrateEngine } from '../../engine/schema.ts';
import type { Broker } from '../../engine/types.ts';
import { newId } from '../../shared/ids.ts';
import { Client } from 'pg';
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

async function open(redisUrl?: string): Promise<{ broker: Broker; close: () => Promise<void> }> {
  const engine = openEngine({ databaseUrl: database.url, redisUrl, workers: 0 });
  const broker = createBroker(engine, ['play']);
  await engine.ready;
  await eventually('it is ready', () => broker.ready);
  return {
    broker,
    async close() {
      await broker.close();
      await engine.close();
    },
  };
}

/** Loses everything the engine has, as an operator would by mistake. */
async function lose(kind: 'postgres' | 'redis'): Promise<void> {
  if (kind === 'redis') {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    return;
  }
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('DROP SCHEMA bullmq CASCADE');
  await client.end();
  await migrateEngine(database.url);
}

for (const kind of ['postgres', 'redis'] as const) {
  test(`${kind}: the canary is counted up by each look, and goes with all that the engine has`, async () => {
    const { broker, close } = await open(kind === 'redis' ? redis.url : undefined);
    expect(await broker.readEpoch()).toBeUndefined();
    const epoch = newId();
    const written = await broker.writeEpoch(epoch);
    expect(written).toMatchObject({ epoch, count: 1 });
    expect(written.instance !== '').toBe(kind === 'redis');
    expect(await broker.readEpoch()).toEqual({ ...written, count: 2 });
    const other = newId();
    expect(await broker.writeEpoch(other)).toEqual({ ...written, epoch: other, count: 1 });
    const data = { jobId: newId(), generation: 1, attempt: '1/1', tenant: 'test', summary: '' };
    await broker.add('play', [{ kind: 'play', priority: 5, delayMs: 0, data }]);
    const id = `${data.jobId}-1`;
    expect(await broker.held('play', [id, `${data.jobId}-2`])).toEqual(new Map([[id, 'queued']]));
    expect(await broker.held('play', [])).toEqual(new Map());
    await lose(kind);
    expect(await broker.readEpoch()).toBeUndefined();
    expect(await broker.held('play', [id])).toEqual(new Map());
    await close();
  });
}

test('another start of Redis shows another instance, and who asked to be told is told', async () => {
  const { broker, close } = await open(redis.url);
  let returned = 0;
  broker.onReturn(() => (returned += 1));
  expect(returned).toBe(1);
  const { instance } = await broker.writeEpoch(newId());
  const { port } = redis;
  await redis.kill();
  redis = await startRedis({ port });
  await eventually('it is told', () => returned === 2);
  expect((await broker.writeEpoch(newId())).instance).not.toBe(instance);
  await close();
});
