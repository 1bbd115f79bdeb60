// Covers: workers/maintenance/pruner.ts
// The expirer with a deep backlog: it passes all that is due and has time left, page by page, and finds what is behind it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expire } from '../../../ledger/retention.ts';
import { expirer } from '../../../workers/maintenance/pruner.ts';
import { addJob, openLedger, query, setJob, stateOf, type LedgerWorld } from '../../ledger/world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

test('a late job behind pages of others that are due at one moment is found by the first round', async () => {
  const first = await addJob(world);
  await setJob(world, first, `run_at = now() - interval '1 h'`);
  await query(
    world,
    `INSERT INTO job SELECT j.* FROM job, generate_series(1, 10_100) AS n,
        LATERAL jsonb_populate_record(job, jsonb_build_object('id', gen_random_uuid(), 'summary', n)) AS j
      WHERE job.id = $1`,
    [first],
  );
  const late = await addJob(world);
  await setJob(world, late, `run_at = now() - interval '1 min', give_up_at = now() - interval '1 s'`);

  const { expired, next } = await expire(world.db);
  expect([expired, next?.state]).toEqual([[], 'waiting']);
  const finished: unknown[] = [];
  const duty = expirer(
    {
      db: world.db,
      emit: (name, event) => void finished.push([name, event]),
      onCommitted: () => undefined,
    },
    1_000,
  );
  expect(await duty.run()).toBe(1);
  expect(await stateOf(world, late)).toBe('expired');
  const facts = { jobId: late, queue: 'story-generation', kind: 'generate-story', state: 'expired' };
  expect(finished).toEqual([['job.finished', facts]]);
  expect(await duty.run()).toBe(0);
});
