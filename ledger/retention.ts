// What has had its time: expired keys, sessions, artifacts, worker rows and old days' sums are deleted; open jobs that nobody could run
// before give_up_at become `expired`, visibly, and count down their waiter like every other end. `clock_timestamp()` would be
// asked anew for every row, so PostgreSQL would use no index for it; `statement_timestamp()` it looks up.
import { toError } from '../shared/errors.ts';
import type { Db } from './db.ts';
import { runInOrder } from './in-order.ts';
import type { Dispatch } from './insert.ts';
import { sqlStates, startableStates, type JobState } from './moves.ts';
import { dispatchColumns, toDispatch, wakeWaiters, type DispatchRow } from './waiters.ts';

const chunk = 500;
/** Jobs that are looked at at once: after a day without workers there are many. */
const expireChunk = 5_000;
/** Files and parts, of about 1 MB each: a statement that deleted more would run into its time limit, again and again. */
const partChunk = 50;

// A step that points to its result keeps it: without it a replay could not remember. A draft lives as long as its attempt.
const overdueArtifacts = `SELECT a.id FROM artifact a WHERE a.expires_at < statement_timestamp()
    AND NOT EXISTS (SELECT 1 FROM step s WHERE s.artifact_id = a.id)
  UNION ALL
  SELECT a.id FROM artifact a WHERE a.draft_attempt_no IS NOT NULL AND a.expires_at >= statement_timestamp() AND NOT EXISTS (
    SELECT 1 FROM job j WHERE j.id = a.job_id AND j.state = 'running' AND j.attempt_no = a.draft_attempt_no)`;

const prunes = [
  // Asked again of the row itself: a request may take a key again while its old row is waited for.
  `DELETE FROM idempotency WHERE expires_at < statement_timestamp() AND ctid IN (SELECT ctid FROM idempotency WHERE expires_at < statement_timestamp() LIMIT ${chunk}) RETURNING 1`,
  `DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE expires_at < statement_timestamp() LIMIT ${chunk}) RETURNING 1`,
  `DELETE FROM artifact_part WHERE (artifact_id, n) IN (
      SELECT p.artifact_id, p.n FROM (${overdueArtifacts}) a JOIN artifact_part p ON p.artifact_id = a.id LIMIT ${partChunk}) RETURNING 1`,
  `DELETE FROM artifact WHERE id IN (
      SELECT a.id FROM (${overdueArtifacts}) a
      WHERE NOT EXISTS (SELECT 1 FROM artifact_part p WHERE p.artifact_id = a.id) LIMIT ${partChunk}) RETURNING 1`,
  `DELETE FROM leader WHERE duty IN (SELECT duty FROM leader WHERE until < statement_timestamp() - interval '1 day' LIMIT ${chunk}) RETURNING 1`,
  `DELETE FROM worker WHERE id IN (SELECT id FROM worker WHERE seen_at < statement_timestamp() - interval '7 days' LIMIT ${chunk}) RETURNING 1`,
  `DELETE FROM provider_minute WHERE ctid IN (SELECT ctid FROM provider_minute WHERE minute < now() - interval '2 days' LIMIT ${chunk}) RETURNING 1`,
  // Budgets only ask for today; a week is for people. What was charged stays in table charge.
  `DELETE FROM spend WHERE ctid IN (
      SELECT ctid FROM spend WHERE day < (statement_timestamp() AT TIME ZONE 'UTC')::date - 7 LIMIT ${chunk}) RETURNING 1`,
].map((text, index) => ({ name: `prune_${index}`, text }));

/** Deletes all that has had its time, a chunk at a time; returns how many rows. Throws, when the others are done, what stopped one. */
export async function prune(db: Db): Promise<number> {
  let count = 0;
  const errors: unknown[] = [];
  for (const statement of prunes) {
    try {
      let deleted = partChunk; // of any table so many may mean that there are more
      for (; deleted >= partChunk; count += deleted) deleted = (await db.run(statement, [])).length;
    } catch (thrown) {
      errors.push(thrown);
    }
  }
  if (errors.length > 0) throw toError(errors[0]);
  return count;
}

/** Where a look over what is due has come to, in the order of the index of open jobs. */
export interface Place {
  id: string;
  state: JobState;
  queue: string;
  /** Text, because a Date would lose the microseconds that the order is made of. */
  run_at: string;
}

const beginning: Place = {
  state: 'blocked',
  queue: '',
  run_at: '-infinity',
  id: '00000000-0000-0000-0000-000000000000',
};

// Nothing is given up before it was due, and `run_at` is what the index of open jobs has. Only the rows tell the rest, and of a deep
// backlog they are too many for one statement: a page at a time, of which the late ones and the last are told.
const waits = `state IN (${sqlStates([...startableStates, 'parked'])})`;
const lookRows = {
  name: 'expire_look',
  text: `SELECT id, state, queue, run_at::text AS run_at, late, n = ${expireChunk} AS full FROM (
      SELECT id, state, queue, run_at, give_up_at < statement_timestamp() AS late, row_number() OVER () AS n FROM (
        SELECT id, state, queue, run_at, give_up_at FROM job
        WHERE ${waits} AND run_at < statement_timestamp()
          AND (state, queue, run_at, id) > ($1::job_state, $2, $3::timestamptz, $4::uuid)
        ORDER BY state, queue, run_at, id LIMIT ${expireChunk}) AS page) AS numbered
    WHERE late OR n = ${expireChunk}`,
};

const expireRows = {
  name: 'expire',
  text: `WITH late AS (
      SELECT id FROM job WHERE id = ANY($1::uuid[]) AND ${waits} AND give_up_at < statement_timestamp()
      ORDER BY id FOR UPDATE SKIP LOCKED),
    moved AS (
      UPDATE job j SET state = 'expired', finished_at = clock_timestamp(), claimed_until = NULL,
        error_message = coalesce(j.error_message, 'nobody could run it in time')
      FROM late WHERE j.id = late.id RETURNING j.waiter_id, j.queue AS own, ${dispatchColumns('j')}),
    ${wakeWaiters('moved')}
    SELECT own, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM moved
    UNION ALL SELECT NULL, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM woken`,
};

export interface Expired {
  expired: readonly { jobId: string; queue: string; kind: string }[];
  /** Waiters that were set free. */
  dispatches: Dispatch[];
  /** Where to look on; undefined at the end of what is due. */
  next: Place | undefined;
}

/** Looks at the next 5,000 jobs that are due, from `after` or the beginning, and expires those past their give_up_at. */
export async function expire(db: Db, after: Place = beginning): Promise<Expired> {
  const from = [after.state, after.queue, after.run_at, after.id];
  const seen = await runInOrder<Place & { late: boolean; full: boolean }>(db, lookRows, from);
  const ids = seen.filter(({ late }) => late).map(({ id }) => id);
  const rows = ids.length === 0 ? [] : await db.run<DispatchRow & { own: string | null }>(expireRows, [ids]);
  return {
    expired: rows.flatMap(({ own: queue, id: jobId, kind }) =>
      queue === null ? [] : [{ jobId, queue, kind }],
    ),
    dispatches: rows.filter((row) => row.state === 'waiting').map(toDispatch),
    next: seen.find(({ full }) => full),
  };
}
