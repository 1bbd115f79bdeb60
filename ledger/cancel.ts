// Cancel. A job that is not running is cancelled at once, with its open descendants; a running one is asked to stop and its
// host writes the outcome. Asking twice gives the same answer; a job that ended otherwise is refused.
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
  kind: string;
}

export interface Cancelled {
  /** `running`: it was asked to stop. */
  state: 'cancelled' | 'running';
  removed: readonly Removed[];
}

const resting = openStates.filter((state) => state !== 'running');

const lockJob = {
  name: 'cancel_lock',
  text: 'SELECT state FROM job WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) FOR UPDATE',
};
const family = `WITH RECURSIVE tree AS (
  SELECT id FROM job WHERE id = $1 UNION SELECT c.id FROM job c JOIN tree t ON c.parent_id = t.id)`;
const cancelResting = {
  name: 'cancel_resting',
  text: `${family} UPDATE job j SET state = 'cancelled', finished_at = clock_timestamp(), cancel_requested_at = clock_timestamp(),
      claimed_until = NULL
    FROM tree t WHERE j.id = t.id AND j.state IN (${sqlStates(resting)})
    RETURNING j.id, j.generation, ${engineQueue('j')} AS queue, j.kind, j.waiter_id`,
};
const askRunning = {
  name: 'cancel_running',
  text: `${family} UPDATE job j SET cancel_requested_at = coalesce(j.cancel_requested_at, clock_timestamp())
    FROM tree t WHERE j.id = t.id AND j.state = 'running'`,
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
  if (row.state !== 'cancelled' && isFinal(row.state)) {
    throw new Problem(
      'invalid_state',
      `cancel failed: the job is ${row.state}; only open jobs can be cancelled`,
      {
        details: { state: row.state },
      },
    );
  }
  const rows = await run<Removed & { waiter_id: string | null }>(cancelResting, [job.id]);
  await run(askRunning, [job.id]);
  const waiters = rows.map((ended) => ended.waiter_id).filter((id) => id !== null);
  if (waiters.length > 0) await run(countDown, [waiters]);
  const removed = rows.map(({ id, generation, queue, kind }) => ({ id, generation, queue, kind }));
  return { state: row.state === 'running' ? 'running' : 'cancelled', removed };
}
