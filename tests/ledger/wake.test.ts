// Who is woken when an operator opens a provider's gate.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { wakeSleepers } from '../../ledger/wake.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

async function asleep(message: string, change = ''): Promise<string> {
  const id = await addJob(world);
  await query(
    world,
    `UPDATE job SET state = 'snoozed', run_at = now() + interval '1 hour', dispatched_at = now(), claimed_until = NULL, error_message = $2
     WHERE id = $1`,
    [id, message],
  );
  if (change !== '') await setJob(world, id, change);
  return id;
}

test('jobs that wait for the provider come back soon under a new generation; nobody else is disturbed', async () => {
  const failed = 'failed: its gate is closed (quota_exhausted); raise the quota';
  const sleepers = [await asleep(`gemini draw ${failed}`), await asleep(`gemini write-story ${failed}`)];
  const others = new Set([
    await asleep(`elevenlabs speak ${failed}`),
    await asleep('gemini was not called: the budget of tenant acme is used up'),
    await asleep(`gemini draw ${failed}`, `run_at = now() + interval '5 s'`),
    await asleep(`gemini draw ${failed}`, `state = 'retrying'`),
  ]);
  expect(await wakeSleepers(world.db, 'gemini')).toBe(2);
  expect(await wakeSleepers(world.db, 'gemini')).toBe(0);
  const rows = await query<{ id: string }>(
    world,
    `SELECT id, run_at < now() + interval '31 s' AS soon FROM job
     WHERE generation = 2 AND dispatched_at IS NULL AND claimed_until <= clock_timestamp() ORDER BY id`,
  );
  expect(rows).toEqual(sleepers.sort().map((id) => ({ id, soon: true })));
  expect(rows.some(({ id }) => others.has(id))).toBe(false);
});
