import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queueStats, unknownJobs } from '../../ledger/queries-queues.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

/** Counted at most, where a test sets it. */
const most = 1_000;

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

test('a queue shows its open jobs by state, its dead of a day and the age of the oldest that could run', async () => {
  const queue = { queue: 'email', kind: 'send-email' };
  const ids = await Promise.all(Array.from({ length: 6 }, () => addJob(world, queue)));
  await addJob(world, { ...queue, delayMs: 60_000 });
  await setJob(world, ids[0] ?? '', `run_at = now() - interval '90 s'`);
  await setJob(world, ids[1] ?? '', `state = 'retrying', run_at = now() + interval '1 h'`);
  await setJob(world, ids[2] ?? '', `state = 'dead', finished_at = now() - interval '23 h'`);
  await setJob(world, ids[3] ?? '', `state = 'dead', finished_at = now() - interval '25 h'`);
  await setJob(world, ids[4] ?? '', `state = 'running', run_at = now() - interval '2 h'`);
  const stats = (await queueStats(world.db, ['email'])).get('email');
  const counts = { waiting: 2, scheduled: 1, retrying: 1, running: 1, snoozed: 0, blocked: 0, parked: 0 };
  expect(stats).toMatchObject({ ...counts, deadLastDay: 1, atLeast: [] });
  expect(stats?.oldestWaitingSeconds).toBeGreaterThanOrEqual(90);
  expect(stats?.oldestWaitingSeconds).toBeLessThan(120);
});

/** So many more of a job, with other columns. */
async function copies(of: string, count: number, columns: object): Promise<void> {
  await query(
    world,
    `INSERT INTO job SELECT j.* FROM job, generate_series(1, $2) AS n,
        LATERAL jsonb_populate_record(job, $3::jsonb || jsonb_build_object('id', gen_random_uuid(), 'summary', n)) AS j
      WHERE job.id = $1`,
    [of, count, JSON.stringify(columns)],
  );
}

test('a deep backlog is counted up to a number, and says so; its oldest job is told exactly, other queues as ever', async () => {
  const oldest = await addJob(world, { queue: 'reports', kind: 'generate-report' });
  await copies(oldest, most, { state: 'waiting' });
  await copies(oldest, most + 5, { state: 'parked', parked_for: 'build' });
  await copies(oldest, most - 1, { state: 'snoozed' });
  await setJob(world, oldest, `run_at = now() - interval '2 h'`);
  const queues = ['email', 'reports', 'voice-synthesis'];
  const stats = await queueStats(world.db, queues, most);
  expect(stats.get('reports')).toMatchObject({
    waiting: most,
    parked: most,
    snoozed: most - 1,
    atLeast: ['waiting', 'parked'],
  });
  expect(stats.get('reports')?.oldestWaitingSeconds).toBeGreaterThanOrEqual(7_200);
  expect(stats.get('email')).toMatchObject({ waiting: 2, atLeast: [] });
  expect(stats.get('voice-synthesis')).toMatchObject({ waiting: 0, oldestWaitingSeconds: 0, atLeast: [] });
  expect(await unknownJobs(world.db, queues, most)).toEqual(new Map([['reports', most]]));
});

test('of very many dead the newest are counted, and no queue knows its own number for sure', async () => {
  const job = await addJob(world, { queue: 'reports', kind: 'generate-report' });
  await copies(job, most, { state: 'dead', finished_at: new Date() });
  const stats = await queueStats(world.db, ['email', 'reports'], most);
  expect(stats.get('reports')?.deadLastDay).toBe(most);
  expect(stats.get('email')?.atLeast).toEqual(['deadLastDay']);
});
