// Covers: workers/watch-clock.ts, workers/watch-lag.ts, workers/watchdog.ts
// What a work process watches for itself: its clock, its event loop, and whether jobs come at all.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createEvents, type Events } from '../../shared/events.ts';
import { openEngine, type Link } from '../../engine/connect.ts';
import type { Consumer } from '../../engine/types.ts';
import { createIntake, type Intake } from '../../workers/intake.ts';
import { watchClock } from '../../workers/watch-clock.ts';
import { watchLag } from '../../workers/watch-lag.ts';
import { watchDeliveries } from '../../workers/watchdog.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, openHouse, type House } from '../support/house.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { addJob, openLedger, setJob } from '../ledger/world.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function openIntake(): { intake: Intake; emit: ReturnType<typeof createEvents>['emit']; told: string[] } {
  const { emit, on } = createEvents();
  const told: string[] = [];
  on('intake.changed', ({ reason, held, message }) => told.push(`${reason} ${held} ${message ?? ''}`));
  on('notice', ({ message }) => told.push(message));
  return { intake: createIntake(emit), emit, told };
}

for (const [aheadMs, words] of [
  [9_000, '9.0 s ahead of'],
  [-9_000, '9.0 s behind'],
] as const) {
  test(`a clock ${words} the ledger's takes no jobs, a nearly right one does with a warning`, async () => {
    const world = await openLedger();
    closing.push(world.close);
    let ahead: number = aheadMs;
    const run: typeof world.db.run = async (...given) => {
      const rows = await world.db.run<{ now_ms: number }>(...given);
      return rows.map((row) => ({ now_ms: row.now_ms - ahead })) as never;
    };
    const { intake, emit, told } = openIntake();
    const watch = watchClock({ db: { ping: () => world.db.ping(), run }, intake, emit });
    closing.push(watch.stop);
    await watch.compared;
    expect([intake.held(), told]).toEqual([['clock'], [expect.stringContaining(words)]]);
    ahead /= 3;
    await eventually('it takes again', () => intake.held().length === 0);
    expect(told.slice(1)).toEqual(['clock false ', expect.stringContaining(words.replace('9.0', '3.0'))]);
  });
}

test('a process that stood still for a third of the lease takes no jobs until it keeps up', async () => {
  const { intake, emit, told } = openIntake();
  closing.push(watchLag({ intake, emit, leaseMs: 900 }));
  const until = performance.now() + 1_200;
  while (performance.now() < until); // on purpose: nothing else can turn meanwhile
  await eventually('it is held', () => intake.held().includes('event_loop'));
  expect(told[0]).toMatch(/^event_loop true this process stood still for \d+ ms/);
  await eventually('it takes again', () => intake.held().length === 0);
});

test('jobs that wait in the quarantine lane do not hide that the worker of a queue is deaf', async () => {
  const world = await openLedger();
  closing.push(world.close);
  const [own, guilty] = [await addJob(world), await addJob(world)];
  for (const id of [own, guilty])
    await setJob(world, id, `dispatched_at = now() - interval '1 min', run_at = now() - interval '1 min'`);
  await setJob(world, guilty, 'crashes = 2');
  const home = new Map([
    [`${own}-1`, 'story-generation'],
    [`${guilty}-1`, 'quarantine'],
  ]);
  const rebuilt: string[] = [];
  const consumers = [...home.values()].map((queue) => {
    return { queue, freeSlots: 1, quietMs: 1_000, rebuild: () => void rebuilt.push(queue) };
  });
  const held = (queue: string, ids: readonly string[]) =>
    Promise.resolve(new Map(ids.filter((id) => home.get(id) === queue).map((id) => [id, 'queued'] as const)));
  const options = {
    db: world.db,
    broker: { held, ping: () => Promise.resolve() },
    emit: createEvents().emit,
    giveUp: () => undefined,
  };
  const watched = { ...options, consumers: consumers as unknown as Consumer[] };
  closing.push(watchDeliveries({ ...watched, quietMs: 200, overdueMs: 1_000 }));
  await eventually('both are made anew', () => rebuilt.length === 2, 5_000);
  expect(rebuilt).toEqual(['story-generation', 'quarantine']);
});

let database: TestDatabase;
let redis: TestRedis | undefined;
let house: House | undefined;
beforeEach(async () => {
  database = await createDatabase();
  closing.push(async () => {
    await house?.close();
    await redis?.stop();
    await database.drop();
    [house, redis] = [undefined, undefined];
  });
});

/** A link whose first workers are deaf: they run, hold their connections, report nothing wrong, and take nothing. */
function deafLink(link: Link, deaf: number): Link {
  let made = 0;
  return {
    ...link,
    worker: (...given) => {
      const worker = link.worker(...given);
      made += 1;
      if (made <= deaf) void worker.pause(true);
      return worker;
    },
  };
}

async function openDeaf(redisUrl: string | undefined, deaf: number): Promise<{ gaveUp: string[] }> {
  const engine = openEngine({ databaseUrl: database.url, redisUrl, workers: 1 });
  closing.splice(-1, 0, () => engine.close());
  const gaveUp: string[] = [];
  house = await openHouse({
    databaseUrl: database.url,
    redisUrl,
    handlers: { play: () => Promise.resolve({}) },
    // Two seconds without a job are deaf; a worker of a loaded machine needs one of them to start.
    timers: { STORYTIME_LEASE_MS: 3_000, STORYTIME_RENEW_MS: 500, STORYTIME_SWEEP_MS: 200 },
    change: {
      engine: { ...engine, ready: engine.ready.then((link) => deafLink(link, deaf)) },
      recycle: (reason) => void gaveUp.push(reason),
    },
  });
  return { gaveUp };
}

const rebuilt = (): Events['worker.rebuilt'][] => house?.seen('worker.rebuilt') ?? [];

for (const kind of ['postgres', 'redis'] as const) {
  test(`${kind}: a worker that runs and is deaf is made anew, and its jobs run`, async () => {
    if (kind === 'redis') redis = await startRedis();
    const { gaveUp } = await openDeaf(redis?.url, 1);
    for (let job = 0; job < 3; job += 1) await house?.enqueue('play', {});
    await eventually('they have run', async () => {
      return (await house?.db.prisma.job.count({ where: { state: 'succeeded' } })) === 3;
    });
    expect(rebuilt()).toEqual([expect.objectContaining({ queue: 'play' })]);
    expect(gaveUp).toEqual([]);
  });
}

test('when the new worker is deaf too this process gives up, and an idle one never does', async () => {
  const { gaveUp } = await openDeaf(undefined, 100);
  await eventually('the watchdog has looked', async () => {
    const seen = await house?.db.prisma.worker.count();
    return seen === 1;
  });
  expect(rebuilt()).toEqual([]);
  await house?.enqueue('play', {});
  await eventually('it gives up', () => gaveUp.length > 0);
  expect(rebuilt()).toHaveLength(1);
  expect(gaveUp[0]).toContain('no job of play came');
});
