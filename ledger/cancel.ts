// Cancel, of a job and all that is open below it. What does not run is cancelled at once; what runs is asked to stop and its host
// writes the outcome. Children are born with the success of their parent, so the head of an open family has ended as a rule: it
// stays as it is. Asking twice gives the same answer; a job that ended otherwise, with nothing open below it, is refused.
import { Problem } from '../shared/errors.ts';
import type { Db, Run } from './db.ts';
import { sqlState } from './ledger-errors.ts';
import { isFinal, openStates, sqlStates, type JobState } from './moves.ts';
import { engineQueue, wakeWaiters } from './waiters.ts';

/** A job that was cancelled and may still be in the engine, where `begin` would refuse it. */
export interface Removed {
  id: string;
  generation: number;
  /** The engine's. */
  queue: string;
  /** The kind's; another one when the job is in the quarantine lane. */
  ownQueue: string;
  kind: string;
}

export interface Cancelled {
  /** The job's own. `running`: it was asked to stop. */
  state: JobState;
  /** Something runs on until it notices: the job itself or one below it. */
  asked: boolean;
  removed: readonly Removed[];
}

const resting = openStates.filter((state) => state !== 'running');

const lockJob = {
  name: 'cancel_lock',
  text: 'SELECT state FROM job WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) FOR UPDATE',
};
const family = `WITH RECURSIVE tree AS (
  SELECT id FROM job WHERE id = $1 UNION SELECT c.id FROM job c JOIN tree t ON c.parent_id = t.id)`;
// Those that wait for others come last, as for everybody who ends a job. `held`: all that were open when it looked; otherwise one
// has ended while it was waited for, perhaps with children.
const lockOpen = {
  name: 'cancel_lock_open',
  text: `${family}, open AS MATERIALIZED (
      SELECT j.id FROM job j JOIN tree t ON t.id = j.id WHERE j.state IN (${sqlStates(openStates)})),
    held AS (
      SELECT j.id FROM job j JOIN open o ON o.id = j.id WHERE j.state IN (${sqlStates(openStates)}) ORDER BY j.state = 'blocked', j.id FOR UPDATE OF j)
    SELECT (SELECT count(*) FROM open) = (SELECT count(*) FROM held) AS held`,
};
const cancelResting = {
  name: 'cancel_resting',
  text: `${family} UPDATE job j SET state = 'cancelled', finished_at = clock_timestamp(), cancel_requested_at = clock_timestamp(),
      claimed_until = NULL
    FROM tree t WHERE j.id = t.id AND j.state IN (${sqlStates(resting)})
    RETURNING j.id, j.generation, ${engineQueue('j')} AS queue, j.queue AS "ownQueue", j.kind, j.waiter_id`,
};
const askRunning = {
  name: 'cancel_running',
  text: `${family} UPDATE job j SET cancel_requested_at = coalesce(j.cancel_requested_at, clock_timestamp())
    FROM tree t WHERE j.id = t.id AND j.state = 'running' RETURNING j.id`,
};
// After the others: a waiter that was itself cancelled is no longer blocked, so no row is updated twice.
const countDown = {
  name: 'cancel_count_down',
  text: `WITH ended AS (SELECT waiter_id, 'cancelled'::job_state AS state FROM unnest($1::uuid[]) AS t(waiter_id)),
    ${wakeWaiters('ended')} SELECT id FROM woken`,
};

/** Cancels one job. Throws `job_not_found` or `invalid_state`. `tenant` undefined: any (operators only). */
export async function cancelJob(db: Db, job: { id: string; tenant: string | undefined }): Promise<Cancelled> {
  const work = (): Promise<Cancelled> => db.transaction((run) => cancelIn(run, job));
  return work().catch((thrown: unknown) => {
    // A deadlock with a countdown in another process: nothing was written, so once more.
    if (sqlState(thrown) !== '40P01') throw thrown;
    return work();
  });
}

async function cancelIn(run: Run, job: { id: string; tenant: string | undefined }): Promise<Cancelled> {
  const [row] = await run<{ state: JobState }>(lockJob, [job.id, job.tenant ?? null]);
  if (row === undefined)
    throw new Problem('job_not_found', 'cancel failed: there is no such job; check the id');
  const { rows, running } = await stopOpen(run, job.id);
  const state = isFinal(row.state) || row.state === 'running' ? row.state : 'cancelled';
  if (rows.length + running === 0 && state !== 'cancelled') throw tooLate(state);
  const waiters = rows.map((ended) => ended.waiter_id).filter((id) => id !== null);
  if (waiters.length > 0) await run(countDown, [waiters]);
  const removed = rows.map(({ id, generation, queue, ownQueue, kind }) => ({
    id,
    generation,
    queue,
    ownQueue,
    kind,
  }));
  return { state, asked: running > 0, removed };
}

type Ended = Removed & { waiter_id: string | null };

/** The job and all below it that is open: what did not run, cancelled now, and how many run. */
async function stopOpen(run: Run, id: string): Promise<{ rows: Ended[]; running: number }> {
  for (let held = false; !held;) held = (await run<{ held: boolean }>(lockOpen, [id]))[0]?.held === true;
  const rows = await run<Ended>(cancelResting, [id]);
  return { rows, running: (await run(askRunning, [id])).length };
}

function tooLate(state: JobState): Problem {
  const why = `the job is ${state} and nothing below it is open`;
  return new Problem('invalid_state', `cancel failed: ${why}; there is nothing to cancel`, {
    details: { state },
  });
}
