// The rows behind reports: complete over the borders of pages, and only those of the tenant and the period.
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { chargePages, jobPages } from '../../ledger/report-pages.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => {
  await world.close();
});

const noon = Date.parse('2026-11-20T12:00:00Z');
const period = { tenant: 'acme', from: new Date(noon), to: new Date(noon + 3_600_000) };

/** Jobs created at these moments (ms), in one statement; the clock of their ids may differ. */
async function addJobs(tenant: string, moments: readonly number[], clockOffMs = 0): Promise<string[]> {
  const ids = moments.map((ms) => newId(ms + clockOffMs));
  await query(
    world,
    `INSERT INTO job (id, tenant, queue, kind, source, state, priority, created_at, run_at, give_up_at, payload, attempt_no)
     SELECT t.id, $3, 'email', 'send-email', 'api', 'succeeded', 5, t.at, t.at, t.at, '{}', 1
     FROM unnest($1::uuid[], $2::timestamptz[]) AS t(id, at)`,
    [ids, moments.map((ms) => new Date(ms)), tenant],
  );
  return ids;
}

async function collect<Line>(pages: AsyncIterable<Line[]>): Promise<{ sizes: number[]; lines: Line[] }> {
  const all = (await Readable.from(pages).toArray()) as Line[][];
  return { sizes: all.map((page) => page.length), lines: all.flat() };
}

test('2,500 jobs of a period among those of others come page by page, each once, and no other job comes', async () => {
  const spread = (count: number): number[] =>
    Array.from({ length: count }, (_, index) => noon + index * 1_000);
  const ids = await addJobs('acme', spread(2_500));
  await addJobs('rival', spread(10));
  await addJobs('acme', [noon - 1, noon + 3_600_000]);
  const late = await addJobs('acme', [noon + 5_000], -600_000); // its id was made by a clock ten minutes behind
  const { sizes, lines } = await collect(jobPages(world.db, period));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
  expect(lines.map(({ id }) => id).toSorted()).toEqual([...ids, ...late].toSorted());
  expect(lines[0]).toMatchObject({
    day: '2026-11-20',
    kind: 'send-email',
    state: 'succeeded',
    attempts: 1,
    snoozes: 0,
  });
});

test('the few jobs of a small tenant are found behind the many of another', async () => {
  const first = await addJobs('small', [noon + 1]);
  await addJobs(
    'large',
    Array.from({ length: 3_000 }, (_, index) => noon + 2 + index),
  );
  const last = await addJobs('small', [noon + 3_010]);
  const { lines } = await collect(jobPages(world.db, { ...period, tenant: 'small' }));
  expect(lines.map(({ id }) => id)).toEqual([...first, ...last]);
});

test('snoozes are counted from the attempts', async () => {
  const [id = ''] = await addJobs('sleepy', [noon]);
  await query(
    world,
    `INSERT INTO attempt (job_id, attempt_no, generation, outcome, started_at)
     SELECT $1, n, n, (CASE WHEN n = 3 THEN 'succeeded' ELSE 'snoozed' END)::attempt_outcome, now() FROM generate_series(1, 3) n`,
    [id],
  );
  const { lines } = await collect(jobPages(world.db, { ...period, tenant: 'sleepy' }));
  expect(lines.map(({ snoozes }) => snoozes)).toEqual([2]);
});

test('charges of one and the same microsecond neither repeat nor get lost between pages', async () => {
  const ids = Array.from({ length: 2_100 }, () => newId());
  await query(
    world,
    `INSERT INTO charge (id, job_id, step, tenant, kind, provider, model, usage, micro_usd, created_at)
     SELECT id, id, 'draw', 'acme', 'generate-images', 'gemini', 'm', '[{"unit":"image","quantity":1}]', 67000,
       '2026-11-20T12:00:00.123456Z' FROM unnest($1::uuid[]) AS t(id)`,
    [ids],
  );
  const { sizes, lines } = await collect(chargePages(world.db, period));
  expect(sizes).toEqual([1_000, 1_000, 100]);
  expect(new Set(lines.map(({ jobId }) => jobId)).size).toBe(2_100);
  expect(lines[0]).toMatchObject({
    day: '2026-11-20',
    usage: [{ unit: 'image', quantity: 1 }],
    microUsd: 67_000,
  });
  expect(
    (await collect(chargePages(world.db, { ...period, to: period.from, from: new Date(0) }))).lines,
  ).toEqual([]);
});
