import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queueStats } from '../../ledger/queries-queues.ts';
import { addJob, openLedger, setJob, type LedgerWorld } from './world.ts';

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
  const stats = (await queueStats(world.db)).get('email');
  const counts = { waiting: 2, scheduled: 1, retrying: 1, running: 1, snoozed: 0, blocked: 0, parked: 0 };
  expect(stats).toMatchObject({ ...counts, deadLastDay: 1 });
  expect(stats?.oldestWaitingSeconds).toBeGreaterThanOrEqual(90);
  expect(stats?.oldestWaitingSeconds).toBeLessThan(120);
});
