import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { raiseAged, raisedAtOnce } from '../../ledger/ageing.ts';
import { readJob } from '../../ledger/queries-jobs.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

const minuteMs = 60_000;
const queue = 'story-generation';
let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
beforeEach(async () => {
  await query(world, 'TRUNCATE job');
});
afterAll(() => world.close());

async function add(priority: number, waitedS: number, queueName = queue): Promise<string> {
  const id = await addJob(world, { priority, queue: queueName });
  await setJob(world, id, `run_at = now() - ${waitedS} * interval '1 s', dispatched_at = now()`);
  return id;
}

async function raise(): Promise<string[]> {
  return (await raiseAged(world.db, [queue, 'email'], minuteMs)).map(({ id }) => id);
}

test('a job that has waited too long gets the highest priority and a new generation, and keeps its own for the record', async () => {
  const [low, normal] = [await add(10, 61), await add(5, 3_600)];
  await Promise.all([add(10, 59), add(1, 3_600), add(10, 61, 'reports')]);
  const rows = await raiseAged(world.db, [queue], minuteMs);
  expect(rows.toSorted((a, b) => a.id.localeCompare(b.id))).toMatchObject([
    { id: low, priority: 1, generation: 2 },
    { id: normal, priority: 1, generation: 2 },
  ]);
  const [row] = await query(world, 'SELECT priority, aged_from, dispatched_at FROM job WHERE id = $1', [low]);
  expect(row).toEqual({ priority: 1, aged_from: 10, dispatched_at: null });
  expect(
    await readJob(world.db, { id: low, tenant: undefined }, { attempts: false, steps: false }),
  ).toMatchObject({
    priority: 10,
  });
  expect(await raise()).toEqual([]);
});

test('what was due first goes to the engine first', async () => {
  const ids = [await add(10, 70), await add(5, 90), await add(10, 80)];
  expect(await raise()).toEqual([ids[1], ids[2], ids[0]]);
});

test('a job that runs, is parked, or is not due is left alone', async () => {
  for (const change of [`state = 'running'`, `state = 'parked'`, `run_at = now() + interval '1 h'`])
    await setJob(world, await add(10, 90), change);
  expect(await raise()).toEqual([]);
  const retrying = await add(10, 90);
  await setJob(world, retrying, `state = 'retrying'`);
  expect(await raise()).toEqual([retrying]);
});

test('of a deep backlog only so many wait raised at once, the oldest first, and each queue has its own share', async () => {
  const mail = await add(10, 70, 'email');
  await query(
    world,
    `INSERT INTO job (id, tenant, queue, kind, source, state, priority, run_at, give_up_at, payload)
     SELECT gen_random_uuid(), 't', '${queue}', 'generate-story', 'api', 'waiting', 10, now() - (100 + n) * interval '1 s', now() + interval '1 d', '{}'
     FROM generate_series(1, 1500) AS n`,
  );
  const first = await raise();
  expect(first).toHaveLength(raisedAtOnce + 1);
  expect(first).toContain(mail);
  const [left] = await query<{ oldest: boolean }>(
    world,
    `SELECT min(run_at) FILTER (WHERE aged_from IS NULL) > max(run_at) FILTER (WHERE aged_from IS NOT NULL) AS oldest
     FROM job WHERE queue = '${queue}'`,
  );
  expect(left).toEqual({ oldest: true });
  expect(await raise()).toEqual([]);
  await query(
    world,
    `UPDATE job SET state = 'running' WHERE id IN (SELECT id FROM job WHERE queue = '${queue}' AND aged_from IS NOT NULL LIMIT 30)`,
  );
  expect(await raise()).toHaveLength(30);
});
