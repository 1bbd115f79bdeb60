// The most common end, in its own small statement: a success of a job that nobody waits for and nobody cancelled.
// Whatever does not fit (a waiter, a cancel, another attempt) is left alone here and goes through ledger/finish.ts.
import type { Run } from './db.ts';
import { inLockOrder } from './lock-order.ts';

export interface Success {
  jobId: string;
  attemptNo: number;
  /** JSON. */
  result: string;
}

const succeedRows = {
  name: 'attempt_succeed',
  text: `WITH moved AS (
      UPDATE job j SET state = 'succeeded', finished_at = clock_timestamp(), claimed_until = NULL, lease_until = NULL,
        progress = 100, result = d.result, error_code = NULL, error_message = NULL
      FROM unnest($1::uuid[], $2::int[], $3::jsonb[]) AS d(id, attempt_no, result)
      WHERE j.id = d.id AND j.attempt_no = d.attempt_no AND j.worker_id = $4 AND j.state = 'running'
        AND j.waiter_id IS NULL AND j.cancel_requested_at IS NULL
      RETURNING j.id, j.attempt_no, j.generation, j.started_at, j.finished_at)
    INSERT INTO attempt (job_id, attempt_no, generation, outcome, worker_id, started_at, ended_at)
    SELECT id, attempt_no, generation, 'succeeded', $4, started_at, finished_at FROM moved
    RETURNING job_id, attempt_no`,
};

/** Writes what fits; returns the names (`nameOf`) of the attempts that succeeded. */
export async function succeedBatch(
  run: Run,
  workerId: string,
  successes: readonly Success[],
): Promise<Set<string>> {
  const ordered = inLockOrder(successes, ({ jobId }) => jobId);
  const rows = await run<{ job_id: string; attempt_no: number }>(succeedRows, [
    ordered.map((success) => success.jobId),
    ordered.map((success) => success.attemptNo),
    ordered.map((success) => success.result),
    workerId,
  ]);
  return new Set(rows.map((row) => nameOf({ jobId: row.job_id, attemptNo: row.attempt_no })));
}

/** Job and attempt number: a stale attempt of a job must not pass for the current one in the same batch. */
export function nameOf({ jobId, attemptNo }: { jobId: string; attemptNo: number }): string {
  return `${jobId}:${attemptNo}`;
}
