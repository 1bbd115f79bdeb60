// Covers: workers/phases.ts, workers/care.ts
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { enqueuedChannel } from '../../ledger/listen.ts';
import type { Handler, Job } from '../../workers/define.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createRegistry } from '../../queues/registry.ts';
import { eventually, openHouse, playQueue, type House } from '../support/house.ts';
import { aborted } from './stage.ts';

let database: TestDatabase;
let house: House;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  await house.close();
  await database.drop();
});

async function open(
  play: Handler<never>,
  timers: Parameters<typeof openHouse>[0]['timers'] = {},
): Promise<void> {
  house = await openHouse({ databaseUrl: database.url, handlers: { play }, timers });
  await eventually('it is ready', async () => (await house.work?.ready())?.engine === true);
}

test('a stop lets jobs finish, then hands the rest back with their attempt, and leaves the engine quiet', async () => {
  const begun: string[] = [];
  await open(
    async (job: Job<{ slow?: boolean }>) => {
      begun.push(job.id);
      if (job.payload.slow === true) throw await aborted(job.signal);
      return {};
    },
    { STORYTIME_GRACE_MS: 1_000 },
  );
  const slow = await house.enqueue('play', { slow: true });
  await eventually('it runs', () => begun.length === 1);
  const quick = await house.enqueue('play', {});
  await house.until(quick.id, (row) => row.state === 'succeeded');
  const start = performance.now();
  await house.work?.stop();
  expect(performance.now() - start).toBeLessThan(3_500);
  expect(await house.until(slow.id, () => true)).toMatchObject({
    state: 'waiting',
    failures: 0,
    generation: 2,
  });
  const late = await house.enqueue('play', {});
  await house.relay.idle();
  expect(await house.until(late.id, () => true)).toMatchObject({ state: 'waiting', attemptNo: 0 });
  expect(await house.db.prisma.worker.count({ where: { stoppedAt: null } })).toBe(0);
});

test('a process that three handlers have filled up by ignoring their abort asks to be started anew', async () => {
  const reasons: string[] = [];
  house = await openHouse({
    databaseUrl: database.url,
    registry: createRegistry([{ ...playQueue, timeoutMs: 50, retry: { ...playQueue.retry, attempts: 1 } }]),
    handlers: { play: () => new Promise(() => undefined) },
    change: { recycle: (reason) => void reasons.push(reason) },
  });
  const ids = await Promise.all([1, 2, 3].map(() => house.enqueue('play', {})));
  for (const { id } of ids)
    expect(await house.until(id, (row) => row.state === 'dead')).toMatchObject({ errorCode: 'timeout' });
  expect(reasons).toEqual(['3 handlers ignore their abort']);
});

test('a process that stops twice, or before its engine was there, stops', async () => {
  house = await openHouse({ databaseUrl: database.url, redisUrl: 'redis://127.0.0.1:1', handlers: {} });
  const start = performance.now();
  await Promise.all([house.work?.stop(), house.work?.stop()]);
  expect(performance.now() - start).toBeLessThan(2_000);
});

test('a notice of another connection makes the sweep run at once', async () => {
  // The sweep's own turn comes once in two seconds: in half a second only the notice can have brought the job.
  await open(() => Promise.resolve({}), { STORYTIME_SWEEP_MS: 60_000 });
  await eventually('it listens', async () => {
    const rows = await house.db.prisma.$queryRaw<unknown[]>`
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query = ${`LISTEN ${enqueuedChannel}`}`;
    return rows.length === 1;
  });
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const other = await openHouse({
      databaseUrl: database.url,
      redisUrl: 'redis://127.0.0.1:1',
      work: false,
    });
    const { id } = await other.enqueue('play', {});
    await other.close();
    const start = performance.now();
    await house.db.prisma.$executeRaw`UPDATE storytime.job SET claimed_until = now() WHERE id = ${id}::uuid`;
    await house.db.prisma.$executeRaw`SELECT pg_notify(${enqueuedChannel}, '')::text`;
    await house.until(id, (row) => row.state === 'succeeded');
    times.push(performance.now() - start);
  }
  expect(Math.min(...times)).toBeLessThan(500);
});
