// The size promise of P2: 100,000 jobs that Redis has forgotten are in it again within a minute. Prints the figure.
import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually, openHouse, type House } from '../../support/house.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const jobs = 100_000;
let database: TestDatabase;
let house: House | undefined;
let redis: TestRedis;
afterEach(async () => {
  await house?.close();
  await redis.stop();
  await database.drop();
});

/** Half of them due and half of them in an hour, given to the engine a while ago. */
const fill = `INSERT INTO storytime.job (id, tenant, queue, kind, source, state, priority, run_at, give_up_at, dispatched_at, payload)
  SELECT gen_random_uuid(), 'test', 'play', 'play', 'api', CASE WHEN n % 2 = 0 THEN 'waiting' ELSE 'scheduled' END::storytime.job_state, 5,
    now() + (n % 2) * interval '1 hour' - n * interval '1 us', now() + interval '1 day', now() - interval '1 s', '{}'
  FROM generate_series(1, ${jobs}) AS n`;

test('100,000 jobs that Redis has forgotten are in it again within 60 seconds', async () => {
  [database, redis] = await Promise.all([createDatabase(), startRedis()]);
  const seeding = await openHouse({ databaseUrl: database.url, redisUrl: redis.url, work: false });
  await seeding.db.prisma.$executeRawUnsafe(fill);
  await seeding.close();
  const client = new Redis(redis.url);
  const start = performance.now();
  house = await openHouse({ databaseUrl: database.url, redisUrl: redis.url, queues: [] });
  await eventually(
    'all are there',
    async () => {
      const sets = ['prioritized', 'delayed'].map((name) => client.zcard(`{storytime}:play:${name}`));
      return (await Promise.all(sets)).reduce((sum, count) => sum + count, 0) === jobs;
    },
    180_000,
  );
  const seconds = (performance.now() - start) / 1_000;
  client.disconnect();
  console.info(`${jobs} jobs were given to an empty Redis again in ${seconds.toFixed(1)} s`);
  expect(seconds).toBeLessThan(60);
}, 240_000);
