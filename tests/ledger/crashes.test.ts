// Processes that die, on the real ledger: who is crashed, who is lost, who is to blame.
// Covers: ledger/rescue.ts
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { hostname } from 'node:os';
import { findDeaths, workerDied } from '../../ledger/crashes.ts';
import { limitsOf, rescue } from '../../ledger/rescue.ts';
import { registry } from '../../queues/index.ts';
import { createRegistry } from '../../queues/registry.ts';
import { workerDraining, workerSeen } from '../../ledger/workers.ts';
import { die, leaseMs, limits, look, round, silence, worker } from './deaths.ts';
import { failed, succeeded } from './lives.ts';
import { openLedger, query, setJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeEach(async () => {
  world = await openLedger();
});
afterEach(() => world.close());

test('all attempts open in a silent process crash together, free, also those whose lease still holds', async () => {
  const dead = await worker(world);
  const ids = await dead.begin(3);
  await silence(world, dead);
  const other = await worker(world);
  const [safe] = await other.begin(1);
  const { rescued, dispatches } = await round(world);
  expect(new Set(rescued.map(({ id }) => id))).toEqual(new Set(ids));
  expect(rescued).toMatchObject(ids.map(() => ({ outcome: 'crashed', state: 'waiting' })));
  expect(dispatches.map(({ queue, generation }) => [queue, generation])).toEqual(
    ids.map(() => ['story-generation', 2]),
  );
  for (const id of ids)
    expect(await look(world, id)).toEqual([
      { state: 'waiting', crashes: 1, failures: 0, outcomes: ['crashed'] },
    ]);
  expect(await look(world, safe ?? '')).toMatchObject([{ state: 'running', crashes: 0 }]);
  expect((await round(world)).rescued).toEqual([]);
});

test('a lease that ran out in a process that lives, or was asked to leave, is lost and no crash', async () => {
  const alive = await worker(world);
  const [first] = await alive.begin(2);
  await silence(world, alive, 100);
  const leaving = await worker(world);
  const [second] = await leaving.begin(1);
  await workerDraining(world.db, leaving.id);
  await silence(world, leaving);
  expect((await round(world)).rescued).toHaveLength(2);
  for (const id of [first, second])
    expect(await look(world, id ?? '')).toEqual([
      { state: 'waiting', crashes: 0, failures: 0, outcomes: ['lost'] },
    ]);
});

test('a process that was asked to leave, and is then seen to end by a signal, was killed: its job did nothing', async () => {
  const leaving = await worker(world);
  const [id = ''] = await leaving.begin(1);
  await workerDraining(world.db, leaving.id);
  await die(world, leaving, 'SIGKILL');
  await silence(world, leaving);
  expect((await round(world)).rescued).toMatchObject([{ id, outcome: 'lost' }]);
  expect(await look(world, id)).toEqual([{ state: 'waiting', crashes: 0, failures: 0, outcomes: ['lost'] }]);
});

test('a lease that runs out between the look for deaths and the rescue waits for the next look, and is a crash', async () => {
  const dead = await worker(world);
  const [id = ''] = await dead.begin(1);
  expect(await findDeaths(world.db, leaseMs)).toEqual([]);
  await silence(world, dead);
  expect((await rescue(world.db, limits, leaseMs)).rescued).toEqual([]);
  expect((await round(world)).rescued).toMatchObject([{ id, outcome: 'crashed' }]);
});

test('a process that comes back after its silence is acquitted, and so are its jobs; what it begins then is its own', async () => {
  const paused = await worker(world);
  const ids = await paused.begin(2);
  await silence(world, paused);
  await round(world);
  const [fresh] = await paused.begin(1);
  expect((await round(world)).rescued).toEqual([]);
  await workerSeen(world.db, paused.id);
  for (const id of ids)
    expect(await look(world, id)).toEqual([
      { state: 'waiting', crashes: 0, failures: 0, outcomes: ['lost'] },
    ]);
  await silence(world, paused);
  expect((await round(world)).rescued).toMatchObject([{ id: fresh, outcome: 'crashed' }]);
});

test('alone in a process that was seen to die, a job uses an attempt up, and with its last one it is dead', async () => {
  const [id = ''] = await (await worker(world)).begin(1);
  await query(world, 'DELETE FROM worker');
  await setJob(world, id, `state = 'waiting', generation = 2`);
  const first = await worker(world);
  await first.begin([id]);
  await die(world, first, 'SIGABRT: out of memory');
  expect((await round(world)).rescued).toMatchObject([
    { state: 'waiting', message: 'its process died while it ran alone: SIGABRT: out of memory' },
  ]);
  expect(await look(world, id)).toMatchObject([{ state: 'waiting', crashes: 1, failures: 1 }]);
  await setJob(world, id, 'failures = 2');
  const last = await worker(world);
  await last.begin([id]);
  await die(world, last);
  expect((await round(world)).rescued).toMatchObject([{ state: 'dead' }]);
  expect(
    await query(world, 'SELECT error_code, error_message, failures FROM job WHERE id = $1', [id]),
  ).toEqual([
    { error_code: 'bug', error_message: expect.stringMatching(/^poison: .*SIGSEGV, 2 crashes/), failures: 3 },
  ]);
});

test('whoever had the process id of a dead one before is not dead a second time', async () => {
  const first = await worker(world);
  await first.begin(1);
  await silence(world, first);
  await round(world);
  const second = await worker(world);
  const [id] = await second.begin(1);
  const seen = { host: hostname(), pid: process.pid, reason: 'SIGKILL' };
  expect(await workerDied(world.db, seen)).toMatchObject([{ workerId: second.id, openAttempts: 1 }]);
  expect((await round(world)).rescued).toMatchObject([{ id, outcome: 'crashed' }]);
  expect(await query(world, 'SELECT crash_reason FROM worker WHERE id = $1', [first.id])).toEqual([
    { crash_reason: null },
  ]);
});

test('two rescuers at once count each crash once, and a finish that is refused changes nothing', async () => {
  const dead = await worker(world);
  const ids = await dead.begin(40);
  await silence(world, dead);
  const both = await Promise.all([round(world), round(world), round(world)]);
  expect(both.flatMap(({ rescued }) => rescued)).toHaveLength(40);
  for (const verdict of [succeeded, failed(0)])
    expect(
      (await dead.attempts.finish({ jobId: ids[0] ?? '', attemptNo: 1, verdict })).state,
    ).toBeUndefined();
  expect(await query(world, 'SELECT crashes, count(*)::int AS jobs FROM job GROUP BY crashes')).toEqual([
    { crashes: 1, jobs: 40 },
  ]);
});

test('a job under a former name of its kind has as many attempts as its kind', () => {
  const definition = registry.find('generate-story')?.definition;
  const queue = registry.queues.find(({ name }) => name === 'story-generation');
  if (definition === undefined || queue === undefined) throw new Error('no such kind');
  const jobs = { 'generate-story': { ...definition, aliases: ['write-story'] } };
  const { kinds, attempts } = limitsOf(createRegistry([{ ...queue, jobs }]));
  expect([kinds, new Set(attempts).size]).toEqual([['generate-story', 'write-story'], 1]);
});
