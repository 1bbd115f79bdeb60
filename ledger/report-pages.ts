// The rows behind reports, a page at a time: each page continues after the last row of the one before (keyset), so the
// thousandth page costs what the first does, and no statement or buffer grows with the period or with what other tenants do.
import type { Db } from './db.ts';

export interface Period {
  tenant: string;
  /** First moment that counts. */
  from: Date;
  /** First moment that no longer counts. */
  to: Date;
}

export interface JobLine {
  id: string;
  /** `2026-11-21`, in UTC. */
  day: string;
  kind: string;
  state: string;
  /** Starts, whatever became of them. */
  attempts: number;
  /** Attempts that were given back because somebody else was not ready. */
  snoozes: number;
}

export interface ChargeLine {
  /** `2026-11-21`, in UTC. */
  day: string;
  jobId: string;
  kind: string;
  step: string;
  provider: string;
  model: string;
  usage: readonly { unit: string; quantity: number }[];
  microUsd: number;
}

/** Charges of one page. */
const pageSize = 1_000;
/** Jobs of all tenants that one statement looks at: few of them may be of this one. */
const lookSize = 1_000;

// Ids are ordered by time, so the primary key finds the period; the clock that made an id may differ from the database's
// by minutes, so the range of ids is an hour wider and created_at decides. A row without a kind says how far it has looked, when
// there may be more.
const jobPage = {
  name: 'report_jobs',
  text: `WITH look AS MATERIALIZED (
      SELECT id, tenant, created_at, kind, state, attempt_no FROM job WHERE id > $1::uuid AND id < $2::uuid ORDER BY id LIMIT ${lookSize})
    SELECT id, to_char(created_at, 'YYYY-MM-DD') AS day, kind, state::text AS state, attempt_no AS attempts,
      (SELECT count(*) FROM attempt a WHERE a.job_id = look.id AND a.outcome = 'snoozed')::int AS snoozes
    FROM look WHERE tenant = $3 AND created_at >= $4 AND created_at < $5
    UNION ALL
    SELECT id, NULL, NULL, NULL, NULL, NULL FROM (SELECT id FROM look ORDER BY id OFFSET ${lookSize - 1}) AS last
    ORDER BY id, kind`,
};

// The cursor's moment travels as text: a JavaScript Date would drop its microseconds and repeat or skip rows.
const chargePage = {
  name: 'report_charges',
  text: `SELECT id, created_at::text AS moment, to_char(created_at, 'YYYY-MM-DD') AS day, job_id AS "jobId", kind, step, provider,
      model, usage, micro_usd::float8 AS "microUsd"
    FROM charge
    WHERE tenant = $1 AND created_at < $2 AND (created_at, id) > ($3::timestamptz, $4::uuid)
    ORDER BY created_at, id LIMIT ${pageSize}`,
};

const hourMs = 3_600_000;
const firstId = '00000000-0000-0000-0000-000000000000';

/** Up to here all jobs have been looked at. */
interface Looked {
  id: string;
  kind: null;
}

/** Jobs created in the period, in the order of their ids. */
export async function* jobPages(
  db: Db,
  { tenant, from, to }: Period,
  signal?: AbortSignal,
): AsyncGenerator<JobLine[]> {
  let after = lowestId(from.getTime() - hourMs);
  const before = lowestId(to.getTime() + hourMs);
  for (;;) {
    signal?.throwIfAborted(); // between two lines of a small tenant there may be many looks
    const rows = await db.run<JobLine | Looked>(jobPage, [after, before, tenant, from, to]);
    const page = rows.filter((row): row is JobLine => row.kind !== null);
    if (page.length > 0) yield page;
    const looked = rows.find(({ kind }) => kind === null);
    if (looked === undefined) return;
    after = looked.id;
  }
}

/** Charges written in the period, in the order of their moments. */
export async function* chargePages(db: Db, { tenant, from, to }: Period): AsyncGenerator<ChargeLine[]> {
  let after = { moment: from.toISOString(), id: firstId };
  for (;;) {
    const page = await db.run<ChargeLine & typeof after>(chargePage, [tenant, to, after.moment, after.id]);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = { moment: last.moment, id: last.id };
  }
}

/** The smallest id that a job of this moment can have. */
function lowestId(ms: number): string {
  const hex = Math.min(Math.max(0, ms), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
