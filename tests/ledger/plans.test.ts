// Covers: ledger/ageing.ts, ledger/in-order.ts, ledger/recover.ts, ledger/retention.ts
// What maintenance asks again and again reads what is due, not what is there: a hundred thousand jobs for tomorrow cost nothing today.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raiseAged } from '../../ledger/ageing.ts';
import type { Db } from '../../ledger/db.ts';
import { providerViews } from '../../ledger/queries-providers.ts';
import { queueStats, unknownJobs } from '../../ledger/queries-queues.ts';
import { walkDispatched } from '../../ledger/recover.ts';
import { expire, prune } from '../../ledger/retention.ts';
import { addJob, openLedger, query, type LedgerWorld } from './world.ts';

const many = 5_000;
const few = 100;
/** Counted at most; of a state there are twice as many. */
const most = 10_000;

interface Plan {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
  await addJob(world, { delayMs: 86_400_000 });
  await query(
    world,
    `INSERT INTO job SELECT (j).* FROM (SELECT jsonb_populate_record(job, jsonb_build_object(
        'id', gen_random_uuid(), 'dispatched_at', now(), 'run_at', job.run_at + n * interval '1 s')) AS j
      FROM job, generate_series(1, ${many}) n) copies`,
  );
  await query(
    world,
    `INSERT INTO idempotency (tenant, endpoint, key, body_hash, job_id, expires_at)
      SELECT 'acme', 'jobs', n::text, ''::bytea, job.id, now() + interval '1 day'
      FROM (SELECT id FROM job LIMIT 1) job, generate_series(1, ${many}) n`,
  );
  await query(
    world,
    `INSERT INTO job SELECT j.* FROM job, generate_series(1, ${2 * most}) n,
        LATERAL jsonb_populate_record(job, jsonb_build_object(
          'id', gen_random_uuid(), 'queue', 'email', 'state', 'parked', 'run_at', job.run_at + n * interval '1 s')) AS j
      WHERE job.id = (SELECT min(id::text)::uuid FROM job)`,
  );
  await query(
    world,
    `INSERT INTO charge (id, job_id, step, tenant, kind, provider, model, usage, micro_usd)
      SELECT gen_random_uuid(), job.id, 's', 'acme', 'k', 'gemini', 'm', '[]', 1
      FROM (SELECT id FROM job LIMIT 1) job, generate_series(1, ${many}) n`,
  );
  await query(world, 'ANALYZE job, idempotency, charge');
});
afterAll(() => world.close());

function rowsRead(plan: Plan): number {
  const own = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
  const below = (plan.Plans ?? []).map(rowsRead).reduce((sum, rows) => sum + rows, 0);
  return below + (plan['Relation Name'] === undefined ? 0 : own);
}

/** How many rows of tables the statements of `work` read. */
async function readBy(work: (db: Db) => Promise<unknown>): Promise<number> {
  let rows = 0;
  const explaining =
    (run: Db['run']): Db['run'] =>
    async (statement, values) => {
      const name = `explain_${statement.name}`;
      const text = `EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}`;
      const [row] = await run<{ 'QUERY PLAN': [{ Plan: Plan }] }>({ name, text }, values);
      rows += row === undefined ? Infinity : rowsRead(row['QUERY PLAN'][0].Plan);
      return run(statement, values);
    };
  const transaction: Db['transaction'] = (inside) => world.db.transaction((run) => inside(explaining(run)));
  await work({ ...world.db, run: explaining(world.db.run), transaction });
  return rows;
}

test.each([
  ['ageing', (db: Db) => raiseAged(db, ['story-generation'], 600_000)],
  ['the expirer', (db: Db) => expire(db)],
  ['the pruner', (db: Db) => prune(db)],
  [
    'the walk over what is overdue',
    (db: Db) => walkDispatched(db, { queues: ['story-generation'], size: 500, dueForMs: 15_000 }).next(),
  ],
])('%s reads next to nothing of what is for later', async (_, work) => {
  expect(await readBy(work)).toBeLessThan(few);
});

test.each([
  ['the depth of the queues is', queueStats],
  ['the jobs that no process knows are', unknownJobs],
])('%s counted to a limit, not to the end of a deep backlog', async (_, count) => {
  const read = await readBy((db) => count(db, ['story-generation', 'email'], most));
  expect(read).toBeGreaterThanOrEqual(most);
  expect(read).toBeLessThan(most + many + few);
});

test('the providers and their spend are shown without a look at the charges of the day', async () => {
  expect(await readBy((db) => providerViews(db))).toBeLessThan(few);
});

test('a page of a long walk is read in the order of the index: its rows and no more', async () => {
  const walk = { queues: ['story-generation'], size: 50 };
  expect(await readBy((db) => walkDispatched(db, walk).next())).toBeLessThan(few);
});

test('the expirer reads a page of what is due, though no statistics know of the backlog yet', async () => {
  await query(
    world,
    `INSERT INTO job SELECT j.* FROM job, generate_series(1, 12_000) n, LATERAL jsonb_populate_record(job, jsonb_build_object(
          'id', gen_random_uuid(), 'queue', 'reports', 'state', 'waiting', 'run_at', now() - n * interval '1 s')) AS j
      WHERE job.id = (SELECT min(id::text)::uuid FROM job)`,
  );
  const read = await readBy((db) => expire(db));
  expect(read).toBeGreaterThanOrEqual(5_000);
  expect(read).toBeLessThan(5_000 + few);
});
