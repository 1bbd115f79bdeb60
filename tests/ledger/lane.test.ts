// The quarantine lane, on the real ledger: what goes there, what dies there, and what waits for room in it.
// Covers: queues/quarantine.ts
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { quarantineQueue } from '../../queues/quarantine.ts';
import { freeParked, laneHasWork } from '../../ledger/lane.ts';
import { workerSeen } from '../../ledger/workers.ts';
import { die, look, round, silence, worker } from './deaths.ts';
import { failed } from './lives.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeEach(async () => {
  world = await openLedger();
});
afterEach(() => world.close());

/** Other jobs of the lane. */
function fillLane(jobs: number): Promise<unknown> {
  return query(
    world,
    `INSERT INTO job (id, tenant, queue, kind, source, state, priority, run_at, give_up_at, payload, crashes)
    SELECT gen_random_uuid(), 't', 'email', 'send-email', 'api', 'waiting', 5, now(), now() + interval '1 d', '{}', 2
    FROM generate_series(1, $1::int)`,
    [jobs],
  );
}

test('after two crashes a job goes to the lane and keeps its queue; there it is dead when its process is seen to die', async () => {
  const [poison = '', innocent = ''] = await (await worker(world)).begin(2);
  for (const generation of [2, 3]) {
    await query(world, `UPDATE worker SET seen_at = now() - interval '1 min'`);
    await query(world, `UPDATE job SET lease_until = now() WHERE state = 'running'`);
    const { dispatches } = await round(world);
    const queue = generation === 3 ? quarantineQueue : 'story-generation';
    expect(dispatches.map((row) => [row.queue, row.generation])).toEqual([
      [queue, generation],
      [queue, generation],
    ]);
    expect(await laneHasWork(world.db)).toBe(generation === 3);
    if (generation === 2) await (await worker(world)).begin([poison, innocent]);
  }
  const lane = await worker(world, [quarantineQueue]);
  await lane.begin([poison]);
  await die(world, lane, 'SIGKILL');
  expect((await round(world)).rescued).toMatchObject([
    { id: poison, queue: 'story-generation', state: 'dead' },
  ]);
  const [begun] = await (await worker(world, [quarantineQueue])).begin([innocent]);
  expect(begun).toBe(innocent);
  expect(await look(world, poison)).toEqual([
    { state: 'dead', crashes: 3, failures: 1, outcomes: ['crashed', 'crashed', 'crashed'] },
  ]);
  expect(await look(world, innocent)).toMatchObject([{ state: 'running', crashes: 2, failures: 0 }]);
});

test('a job that dies with its process goes to the engine once more, by its own queue, to be told that it is dead', async () => {
  const id = await addJob(world);
  await setJob(world, id, 'crashes = 2');
  const lane = await worker(world, [quarantineQueue]);
  await lane.begin([id]);
  await die(world, lane, 'SIGKILL');
  const { dispatches } = await round(world);
  expect(dispatches).toMatchObject([{ id, queue: 'story-generation', generation: 2, delayMs: 0 }]);
  const { attempts } = await worker(world);
  expect(await attempts.begin({ jobId: id, generation: 2 })).toEqual({
    refused: 'dead',
    message: expect.stringMatching(/^bug: poison: .*SIGKILL/),
  });
  // What the lane's process had taken is of a generation before.
  expect(await attempts.begin({ jobId: id, generation: 1 })).toEqual({ refused: 'gone' });
  const [attempt] = await query(world, 'SELECT generation FROM attempt WHERE job_id = $1', [id]);
  expect(attempt).toEqual({ generation: 1 });
});

test('a job that dies in the lane by its own failure is told by its own queue, too', async () => {
  const [id, plain] = [await addJob(world), await addJob(world)];
  await setJob(world, id, 'crashes = 2');
  const lane = await worker(world, [quarantineQueue]);
  await lane.begin([id]);
  const other = await worker(world);
  await other.begin([plain]);
  await setJob(world, id, 'crashes = 1'); // the process that was taken for dead has come back
  await setJob(world, plain, 'crashes = 2'); // its neighbour threw where nobody caught it
  const end = (jobId: string, { attempts } = lane) =>
    attempts.finish({ jobId, attemptNo: 1, verdict: failed(null) });
  expect(await end(id)).toMatchObject({
    state: 'dead',
    dispatches: [{ id, queue: 'story-generation', generation: 2 }],
  });
  expect(await end(plain, other)).toEqual({ state: 'dead', dispatches: [] });
  const { attempts } = await worker(world);
  expect(await attempts.begin({ jobId: id, generation: 2 })).toEqual({
    refused: 'dead',
    message: 'unavailable: down',
  });
  expect(await query(world, 'SELECT generation, outcome FROM attempt WHERE job_id = $1', [id])).toEqual([
    { generation: 1, outcome: 'failed' },
  ]);
});

test('a death in the lane that nobody saw is forgiven once, and at the fourth crash the job is dead', async () => {
  const id = await addJob(world);
  await setJob(world, id, 'crashes = 2');
  for (const state of ['waiting', 'dead']) {
    const lane = await worker(world, [quarantineQueue]);
    await lane.begin([id]);
    await silence(world, lane);
    expect((await round(world)).rescued).toMatchObject([{ state }]);
  }
  expect(await look(world, id)).toMatchObject([{ crashes: 4, failures: 0 }]);
});

test('a job parked for the full lane whose process comes back goes on by its own queue', async () => {
  await fillLane(200);
  const paused = await worker(world);
  const [id = ''] = await paused.begin(1);
  await setJob(world, id, 'crashes = 1');
  await silence(world, paused);
  expect((await round(world)).rescued).toMatchObject([{ state: 'parked' }]);
  await workerSeen(world.db, paused.id);
  await query(world, `DELETE FROM job WHERE queue = 'email'`);
  expect(await freeParked(world.db)).toMatchObject([{ id, queue: 'story-generation' }]);
  expect(await look(world, id)).toMatchObject([{ state: 'waiting', crashes: 1, outcomes: ['lost'] }]);
});

test('what the full lane does not take is parked with a reason, and set free when there is room', async () => {
  await fillLane(199);
  const dead = await worker(world);
  const ids = await dead.begin(2);
  await query(world, `UPDATE job SET crashes = 1 WHERE state = 'running'`);
  await silence(world, dead);
  const { rescued } = await round(world);
  expect(new Set(rescued.map(({ state }) => state))).toEqual(new Set(['parked', 'waiting']));
  const parked = rescued.find(({ state }) => state === 'parked')?.id ?? '';
  expect(ids).toContain(parked);
  expect(await query(world, 'SELECT parked_for, error_message FROM job WHERE id = $1', [parked])).toEqual([
    { parked_for: 'quarantine', error_message: expect.stringContaining('the quarantine lane is full') },
  ]);
  expect(await freeParked(world.db)).toEqual([]);
  await query(world, `DELETE FROM job WHERE queue = 'email'`);
  expect(await freeParked(world.db)).toMatchObject([{ id: parked, queue: quarantineQueue, generation: 2 }]);
  expect(await look(world, parked)).toMatchObject([{ state: 'waiting' }]);
});
