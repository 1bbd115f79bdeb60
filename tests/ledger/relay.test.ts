import { afterEach, expect, test } from '@jest/globals';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { engineId, type Broker } from '../../engine/types.ts';
import { redispatch } from '../../ledger/recover.ts';
import { createRelay, type Relay } from '../../ledger/relay.ts';
import { registry } from '../../queues/index.ts';
import { quarantineQueue } from '../../queues/quarantine.ts';
import { freePort } from '../../ledger/embedded/port.ts';
import { eventually } from '../support/house.ts';
import { startRedis } from '../support/redis.ts';
import { die, round, worker } from './deaths.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

const queue = 'story-generation';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Carried extends LedgerWorld {
  broker: Broker;
  relay: Relay;
  failures: string[];
}

async function openCarried(redisUrl?: string): Promise<Carried> {
  const world = await openLedger();
  closing.push(world.close);
  const failures: string[] = [];
  world.events.on('relay.failed', ({ message }) => void failures.push(message));
  const engine = openEngine({ databaseUrl: world.url, redisUrl, workers: 1 });
  closing.push(engine.close);
  const names = registry.queues.map(({ name }) => name);
  const broker = createBroker(engine, names);
  closing.push(broker.close);
  const relay = createRelay({ db: world.db, broker, registry, emit: world.events.emit });
  return { ...world, broker, relay, failures };
}

interface Row {
  dispatched: boolean;
  generation: number;
  dispatch_error: string | null;
}

async function rowOf(world: LedgerWorld, id: string): Promise<Row | undefined> {
  const text = `SELECT dispatched_at IS NOT NULL AS dispatched, generation, dispatch_error FROM job WHERE id = $1`;
  return (await query<Row>(world, text, [id]))[0];
}

/** As if the time that the committing process has for its own nudge had passed. */
async function passClaims(world: LedgerWorld): Promise<void> {
  await query(world, `UPDATE job SET claimed_until = now() - interval '1 s' WHERE claimed_until IS NOT NULL`);
}

test('a row that is nudged is in the engine and stamped', async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  const id = await addJob(world);
  world.relay.nudge(world.committed.flat());
  await world.relay.idle();
  expect(await rowOf(world, id)).toMatchObject({ dispatched: true });
  const name = engineId({ jobId: id, generation: 1 });
  expect(await world.broker.held(queue, [name])).toEqual(new Map([[name, 'queued']]));
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(0);
});

test('rows committed while Redis is absent stay undispatched, and a sweep brings them when it is there', async () => {
  const port = (await freePort(0)) ?? 0;
  const world = await openCarried(`redis://127.0.0.1:${port}`);
  const ids = [await addJob(world), await addJob(world)];
  world.relay.nudge(world.committed.flat());
  await world.relay.idle();
  expect(await world.relay.sweep()).toBe(0);
  expect(await rowOf(world, ids[0] ?? '')).toMatchObject({ dispatched: false });
  const redis = await startRedis({ port });
  closing.unshift(redis.stop);
  await eventually('the engine is ready', () => world.broker.ready);
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(2);
  expect(await rowOf(world, ids[1] ?? '')).toMatchObject({ dispatched: true });
});

test('a job that died with its process is listed though whoever rescued it was gone before the engine had it', async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  const id = await addJob(world);
  await setJob(world, id, 'crashes = 2, failures = 1');
  const lane = await worker(world, [quarantineQueue]);
  await lane.begin([id]);
  await die(world, lane, 'SIGKILL');
  expect((await round(world)).rescued).toMatchObject([{ id, state: 'dead' }]);
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(1);
  const name = engineId({ jobId: id, generation: 2 });
  expect(await world.broker.held(queue, [name])).toEqual(new Map([[name, 'queued']]));
  const board = (await world.broker.boardQueues()).find((one) => one.name === queue);
  expect(await board?.getJob(name)).toMatchObject({ data: { jobId: id, generation: 2, attempt: '2/3' } });
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(0);
});

test('a sweep stops at an engine that went away instead of claiming its whole backlog', async () => {
  const redis = await startRedis();
  closing.push(redis.stop);
  const world = await openCarried(redis.url);
  await eventually('the engine is ready', () => world.broker.ready);
  const id = await addJob(world);
  await redis.kill();
  await passClaims(world);
  await expect(world.relay.sweep()).rejects.toThrow('the engine took no job');
  expect(world.failures).toHaveLength(1);
  expect(await rowOf(world, id)).toMatchObject({ dispatched: false });
});

test("a newer build's queue is left to that build, and its jobs hold no others up", async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  const [theirs, ours] = [await addJob(world, { queue: 'letters' }), await addJob(world)];
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(1);
  expect(await rowOf(world, ours)).toMatchObject({ dispatched: true });
  expect(await rowOf(world, theirs)).toMatchObject({ dispatched: false, dispatch_error: null });
});

test('one row that PostgreSQL refuses does not hold the others back and says why', async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  const ids = [await addJob(world), await addJob(world), await addJob(world)];
  // A fault of the engine's own table that hits one job: what a bad row looks like from here.
  const name = engineId({ jobId: ids[1] ?? '', generation: 1 });
  await query(world, `ALTER TABLE bullmq.job ADD CONSTRAINT refuse CHECK (id <> '${name}')`);
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(3);
  const rows = await Promise.all(ids.map((id) => rowOf(world, id)));
  expect(rows.map((row) => row?.dispatched)).toEqual([true, false, true]);
  expect(rows[1]?.dispatch_error).toContain('refuse');
});

test('a dispatch stamps only its own generation', async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  const id = await addJob(world);
  await redispatch(world.db, [{ id, generation: 1 }]);
  world.relay.nudge(world.committed.flat());
  await world.relay.idle();
  expect(await rowOf(world, id)).toMatchObject({ dispatched: false, generation: 2 });
  await passClaims(world);
  expect(await world.relay.sweep()).toBe(1);
  expect(await rowOf(world, id)).toMatchObject({ dispatched: true });
});

test('two sweeps at once claim each row once', async () => {
  const world = await openCarried();
  await eventually('the engine is ready', () => world.broker.ready);
  for (let count = 0; count < 20; count += 1) await addJob(world);
  await setJob(world, (await addJob(world)) ?? '', `state = 'cancelled'`);
  await passClaims(world);
  const counts = await Promise.all([world.relay.sweep(), world.relay.sweep(), world.relay.sweep()]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
});
