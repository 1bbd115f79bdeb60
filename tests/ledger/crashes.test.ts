// Processes that die, on the real ledger: who is crashed, who is lost, who is to blame, and what the quarantine lane takes.
// Covers: ledger/rescue.ts, ledger/lane.ts, queues/quarantine.ts
import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { quarantineQueue } from '../../queues/quarantine.ts';
import { registry } from '../../queues/index.ts';
import { createAttempts, type Attempts } from '../../ledger/attempts.ts';
import { findDeaths, workerDied } from '../../ledger/crashes.ts';
import { freeParked, laneHasWork } from '../../ledger/lane.ts';
import { limitsOf, rescue } from '../../ledger/rescue.ts';
import { registerWorker, workerDraining, workerSeen } from '../../ledger/workers.ts';
import { begunOf, failed, succeeded } from './lives.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

const leaseMs = 1_000;
const limits = limitsOf(registry);

interface Worker {
  id: string;
  attempts: Attempts;
  /** Begins the jobs, or new ones. */
  begin: (jobs: number | readonly string[]) => Promise<string[]>;
}

let world: LedgerWorld;
beforeEach(async () => {
  world = await openLedger();
});
afterEach(() => world.close());

async function worker(queues: readonly string[] = []): Promise<Worker> {
  const id = newId();
  await registerWorker(world.db, { id, version: 'test', queues, knows: [] });
  const { db, events } = world;
  const attempts = createAttempts({
    db,
    workerId: id,
    leaseMs: 60_000,
    emit: events.emit,
    onCommitted: () => undefined,
  });
  return {
    id,
    attempts,
    async begin(jobs) {
      const ids =
        typeof jobs === 'number'
          ? await Promise.all(Array.from({ length: jobs }, () => addJob(world)))
          : [...jobs];
      for (const jobId of ids) {
        const [row] = await query<{ generation: number }>(world, 'SELECT generation FROM job WHERE id = $1', [
          jobId,
        ]);
        begunOf(await attempts.begin({ jobId, generation: row?.generation ?? 1 }));
      }
      return ids;
    },
  };
}

/** As if its last sign of life were `ms` ago and the lease of one of its jobs had run out. */
async function silence({ id }: Worker, ms = leaseMs): Promise<void> {
  await query(world, `UPDATE worker SET seen_at = now() - $2 * interval '1 ms' WHERE id = $1`, [id, ms]);
  const one = `SELECT id FROM job WHERE worker_id = $1 AND state = 'running' ORDER BY id LIMIT 1`;
  await query(world, `UPDATE job SET lease_until = now() - interval '1 ms' WHERE id = (${one})`, [id]);
}

/** Somebody sees it end by itself. The pid of this very process stands for each of the test's, so only one may be open. */
async function die({ id }: Worker, reason = 'SIGSEGV'): Promise<void> {
  await query(world, 'UPDATE worker SET pid = -1 WHERE id <> $1', [id]);
  await workerDied(world.db, { host: hostname(), pid: process.pid, reason });
}

async function round(): Promise<Awaited<ReturnType<typeof rescue>>> {
  await findDeaths(world.db, leaseMs);
  return rescue(world.db, limits);
}

function look(id: string): Promise<object[]> {
  return query(
    world,
    `SELECT j.state, j.crashes, j.failures, array_agg(a.outcome::text ORDER BY a.attempt_no) AS outcomes
     FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.id = $1 GROUP BY j.id`,
    [id],
  );
}

test('all attempts open in a silent process crash together, free, also those whose lease still holds', async () => {
  const dead = await worker();
  const ids = await dead.begin(3);
  await silence(dead);
  const other = await worker();
  const [safe] = await other.begin(1);
  const { rescued, dispatches } = await round();
  expect(new Set(rescued.map(({ id }) => id))).toEqual(new Set(ids));
  expect(rescued).toMatchObject(ids.map(() => ({ outcome: 'crashed', state: 'waiting' })));
  expect(dispatches.map(({ queue, generation }) => [queue, generation])).toEqual(
    ids.map(() => ['story-generation', 2]),
  );
  for (const id of ids)
    expect(await look(id)).toEqual([{ state: 'waiting', crashes: 1, failures: 0, outcomes: ['crashed'] }]);
  expect(await look(safe ?? '')).toMatchObject([{ state: 'running', crashes: 0 }]);
  expect((await round()).rescued).toEqual([]);
});

test('a lease that ran out in a process that lives, or was asked to leave, is lost and no crash', async () => {
  const alive = await worker();
  const [first] = await alive.begin(2);
  await silence(alive, 100);
  const leaving = await worker();
  const [second] = await leaving.begin(1);
  await workerDraining(world.db, leaving.id);
  await silence(leaving);
  expect((await round()).rescued).toHaveLength(2);
  for (const id of [first, second])
    expect(await look(id ?? '')).toEqual([{ state: 'waiting', crashes: 0, failures: 0, outcomes: ['lost'] }]);
});

test('a process that comes back after its silence is acquitted, and so are its jobs; what it begins then is its own', async () => {
  const paused = await worker();
  const ids = await paused.begin(2);
  await silence(paused);
  await round();
  const [fresh] = await paused.begin(1);
  expect((await round()).rescued).toEqual([]);
  await workerSeen(world.db, paused.id);
  for (const id of ids)
    expect(await look(id)).toEqual([{ state: 'waiting', crashes: 0, failures: 0, outcomes: ['lost'] }]);
  await silence(paused);
  expect((await round()).rescued).toMatchObject([{ id: fresh, outcome: 'crashed' }]);
});

test('alone in a process that was seen to die, a job uses an attempt up, and with its last one it is dead', async () => {
  const [id = ''] = await (await worker()).begin(1);
  await query(world, 'DELETE FROM worker');
  await setJob(world, id, `state = 'waiting', generation = 2`);
  const first = await worker();
  await first.begin([id]);
  await die(first, 'SIGABRT: out of memory');
  expect((await round()).rescued).toMatchObject([
    { state: 'waiting', message: 'its process died while it ran alone: SIGABRT: out of memory' },
  ]);
  expect(await look(id)).toMatchObject([{ state: 'waiting', crashes: 1, failures: 1 }]);
  await setJob(world, id, 'failures = 2');
  const last = await worker();
  await last.begin([id]);
  await die(last);
  expect((await round()).rescued).toMatchObject([{ state: 'dead' }]);
  expect(
    await query(world, 'SELECT error_code, error_message, failures FROM job WHERE id = $1', [id]),
  ).toEqual([
    { error_code: 'bug', error_message: expect.stringMatching(/^poison: .*SIGSEGV, 2 crashes/), failures: 3 },
  ]);
});

test('after two crashes a job goes to the lane and keeps its queue; there it is dead when its process is seen to die', async () => {
  const [poison = '', innocent = ''] = await (await worker()).begin(2);
  for (const generation of [2, 3]) {
    await query(world, `UPDATE worker SET seen_at = now() - interval '1 min'`);
    await query(world, `UPDATE job SET lease_until = now() WHERE state = 'running'`);
    const { dispatches } = await round();
    const queue = generation === 3 ? quarantineQueue : 'story-generation';
    expect(dispatches.map((row) => [row.queue, row.generation])).toEqual([
      [queue, generation],
      [queue, generation],
    ]);
    expect(await laneHasWork(world.db)).toBe(generation === 3);
    if (generation === 2) await (await worker()).begin([poison, innocent]);
  }
  const lane = await worker([quarantineQueue]);
  await lane.begin([poison]);
  await die(lane, 'SIGKILL');
  expect((await round()).rescued).toMatchObject([{ id: poison, queue: 'story-generation', state: 'dead' }]);
  const [begun] = await (await worker([quarantineQueue])).begin([innocent]);
  expect(begun).toBe(innocent);
  expect(await look(poison)).toEqual([
    { state: 'dead', crashes: 3, failures: 1, outcomes: ['crashed', 'crashed', 'crashed'] },
  ]);
  expect(await look(innocent)).toMatchObject([{ state: 'running', crashes: 2, failures: 0 }]);
});

test('a job that dies with its process goes to the engine once more, by its own queue, to be told that it is dead', async () => {
  const id = await addJob(world);
  await setJob(world, id, 'crashes = 2');
  const lane = await worker([quarantineQueue]);
  await lane.begin([id]);
  await die(lane, 'SIGKILL');
  const { dispatches } = await round();
  expect(dispatches).toMatchObject([{ id, queue: 'story-generation', generation: 2, delayMs: 0 }]);
  const { attempts } = await worker();
  expect(await attempts.begin({ jobId: id, generation: 2 })).toEqual({
    refused: 'dead',
    message: expect.stringMatching(/^bug: poison: .*SIGKILL/),
  });
  // What the lane's process had taken is of a generation before.
  expect(await attempts.begin({ jobId: id, generation: 1 })).toEqual({ refused: 'gone' });
  const [attempt] = await query(world, 'SELECT generation FROM attempt WHERE job_id = $1', [id]);
  expect(attempt).toEqual({ generation: 1 });
});

test('a death in the lane that nobody saw is forgiven once, and at the fourth crash the job is dead', async () => {
  const id = await addJob(world);
  await setJob(world, id, 'crashes = 2');
  for (const state of ['waiting', 'dead']) {
    const lane = await worker([quarantineQueue]);
    await lane.begin([id]);
    await silence(lane);
    expect((await round()).rescued).toMatchObject([{ state }]);
  }
  expect(await look(id)).toMatchObject([{ crashes: 4, failures: 0 }]);
});

test('what the full lane does not take is parked with a reason, and set free when there is room', async () => {
  await query(
    world,
    `INSERT INTO job (id, tenant, queue, kind, source, state, priority, run_at, give_up_at, payload, crashes)
    SELECT gen_random_uuid(), 't', 'email', 'send-email', 'api', 'waiting', 5, now(), now() + interval '1 d', '{}', 2 FROM generate_series(1, 199)`,
  );
  const dead = await worker();
  const ids = await dead.begin(2);
  await query(world, `UPDATE job SET crashes = 1 WHERE state = 'running'`);
  await silence(dead);
  const { rescued } = await round();
  expect(new Set(rescued.map(({ state }) => state))).toEqual(new Set(['parked', 'waiting']));
  const parked = rescued.find(({ state }) => state === 'parked')?.id ?? '';
  expect(ids).toContain(parked);
  expect(await query(world, 'SELECT parked_for, error_message FROM job WHERE id = $1', [parked])).toEqual([
    { parked_for: 'quarantine', error_message: expect.stringContaining('the quarantine lane is full') },
  ]);
  expect(await freeParked(world.db)).toEqual([]);
  await query(world, `DELETE FROM job WHERE queue = 'email'`);
  expect(await freeParked(world.db)).toMatchObject([{ id: parked, queue: quarantineQueue, generation: 2 }]);
  expect(await look(parked)).toMatchObject([{ state: 'waiting' }]);
});

test('two rescuers at once count each crash once, and a finish that is refused changes nothing', async () => {
  const dead = await worker();
  const ids = await dead.begin(40);
  await silence(dead);
  const both = await Promise.all([round(), round(), round()]);
  expect(both.flatMap(({ rescued }) => rescued)).toHaveLength(40);
  for (const verdict of [succeeded, failed(0)])
    expect(
      (await dead.attempts.finish({ jobId: ids[0] ?? '', attemptNo: 1, verdict })).state,
    ).toBeUndefined();
  expect(await query(world, 'SELECT crashes, count(*)::int AS jobs FROM job GROUP BY crashes')).toEqual([
    { crashes: 1, jobs: 40 },
  ]);
});
