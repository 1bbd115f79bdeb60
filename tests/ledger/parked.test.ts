import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { cancelJob } from '../../ledger/cancel.ts';
import { freeParked, takeParked } from '../../ledger/parked.ts';
import { expire } from '../../ledger/retention.ts';
import { registerWorker, workerStopped } from '../../ledger/workers.ts';
import { newId } from '../../shared/ids.ts';
import { openLives, type Lives } from './lives.ts';
import { query, setJob, stateOf } from './world.ts';

const known = 'generate-story@2/story-generation';
let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
beforeEach(async () => {
  await query(lives, 'TRUNCATE job, attempt, worker');
});
afterAll(() => lives.close());

async function worker(knows: readonly string[], queue = 'story-generation'): Promise<string> {
  const id = newId();
  await registerWorker(lives.db, { id, version: '1', queues: [queue], knows });
  return id;
}

async function park(): Promise<string> {
  const { jobId, attemptNo } = await lives.start();
  await setJob(lives, jobId, `payload_version = 2`);
  await lives.attempts.finish({ jobId, attemptNo, verdict: { outcome: 'interrupted', parked: 'too new' } });
  return jobId;
}

async function free(): Promise<string[]> {
  return (await freeParked(lives.db, 60_000)).map(({ id }) => id);
}

async function take(knows: string, limit = 10): Promise<string[]> {
  const rows = await takeParked(lives.db, { knows: [knows], queue: 'story-generation', limit });
  return rows.map(({ id }) => id);
}

test('parking uses no attempt up, says why, and keeps the job from every delivery', async () => {
  const jobId = await park();
  const [row] = await query(lives, 'SELECT state, failures, generation, error_message, parked_for FROM job');
  expect(row).toEqual({
    state: 'parked',
    failures: 0,
    generation: 1,
    error_message: 'too new',
    parked_for: 'build',
  });
  expect(await query(lives, 'SELECT outcome, message FROM attempt')).toEqual([
    { outcome: 'interrupted', message: 'too new' },
  ]);
  expect(await lives.attempts.begin({ jobId, generation: 1 })).toEqual({ refused: 'gone' });
});

test('a parked job is freed, as a new generation, by a live process that knows it and by no other', async () => {
  const id = await park();
  await worker(['generate-story@1/story-generation', 'generate-stories@2/story-generation'], 'email');
  expect(await free()).toEqual([]);
  const gone = await worker([known]);
  await workerStopped(lives.db, gone);
  expect(await free()).toEqual([]);
  await query(
    lives,
    `UPDATE worker SET stopped_at = NULL, seen_at = now() - interval '2 minutes' WHERE id = $1`,
    [gone],
  );
  expect(await free()).toEqual([]);
  await query(lives, `UPDATE worker SET seen_at = now() WHERE id = $1`, [gone]);
  expect(await free()).toEqual([id]);
  const [row] = await query(
    lives,
    'SELECT state, generation, dispatched_at, parked_for, error_message FROM job',
  );
  expect(row).toEqual({
    state: 'waiting',
    generation: 2,
    dispatched_at: null,
    parked_for: null,
    error_message: null,
  });
});

test('beside an older process of the queue nothing goes to the engine until that one has left', async () => {
  const old = await worker(['generate-story@1/story-generation']);
  await worker([known]);
  const id = await park();
  expect(await free()).toEqual([]);
  await workerStopped(lives.db, old);
  expect(await free()).toEqual([id]);
});

test('a process takes what it can run past the engine, each job once, and the relay has it should the process die', async () => {
  const [first, second, third] = [await park(), await park(), await park()];
  expect(await take('generate-story@1/story-generation')).toEqual([]);
  const taken = await Promise.all([take(known, 1), take(known, 2)]);
  expect(taken.flat().toSorted()).toEqual([first, second, third].toSorted());
  expect(await lives.attempts.begin({ jobId: first, generation: 2 })).toMatchObject({
    begun: { payloadVersion: 2, attemptNo: 2 },
  });
  const waiting = await query(
    lives,
    `SELECT id FROM job WHERE state = 'waiting' AND dispatched_at IS NULL
    AND claimed_until BETWEEN now() + interval '5 s' AND now() + interval '15 s'`,
  );
  expect(waiting).toHaveLength(2);
});

test('a kind that moved to another queue goes there', async () => {
  await park();
  await worker(['generate-story@2/voice-synthesis']);
  await free();
  expect(await query(lives, 'SELECT queue, state FROM job')).toEqual([
    { queue: 'voice-synthesis', state: 'waiting' },
  ]);
});

test('what is parked for another reason is left to its own lane', async () => {
  const id = await park();
  await setJob(lives, id, `parked_for = 'quarantine'`);
  await worker([known]);
  expect(await free()).toEqual([]);
});

test('a parked job can be cancelled, and expires when nobody came in time', async () => {
  const cancelled = await park();
  await cancelJob(lives.db, { id: cancelled, tenant: undefined });
  expect(await stateOf(lives, cancelled)).toBe('cancelled');
  const late = await park();
  await setJob(lives, late, `give_up_at = now() - interval '1 s'`);
  expect(await expire(lives.db)).toMatchObject({ expired: [{}] });
  expect(await stateOf(lives, late)).toBe('expired');
});
