// An outcome whose answer was lost is sent again, and is refused by its own first sending. Here the ledger is asked whether
// that is so: then it was recorded, and must not be told as the outcome of an attempt that somebody took over.
import type { Settled } from '../shared/batcher.ts';
import type { Run } from './db.ts';
import type { Finished, FinishRequest } from './finish.ts';
import type { JobState } from './moves.ts';
import { nameOf } from './succeed.ts';

// A cancel that was asked for wins over every outcome. `state` is null when a later attempt has begun since.
const readWritten = {
  name: 'attempt_written',
  text: `SELECT a.job_id, a.attempt_no, CASE WHEN j.attempt_no = a.attempt_no THEN j.state::text END AS state
    FROM unnest($1::uuid[], $2::int[], $3::text[]) AS d(id, attempt_no, outcome)
    JOIN attempt a ON a.job_id = d.id AND a.attempt_no = d.attempt_no AND a.outcome::text IN (d.outcome, 'cancelled')
    JOIN job j ON j.id = a.job_id
    WHERE a.worker_id = $4`,
};

interface WrittenRow {
  job_id: string;
  attempt_no: number;
  state: JobState | null;
}

/**
 * The same answers, but for refusals of what this worker has written before: they get the state it led to. Jobs that came back
 * then are not named again: the sweep carries what their lost answer would have carried.
 */
export async function recogniseWritten(
  run: Run,
  workerId: string,
  requests: readonly FinishRequest[],
  settled: readonly Settled<Finished>[],
): Promise<Settled<Finished>[]> {
  const refused = requests.filter((_, index) => isRefused(settled[index]));
  if (refused.length === 0) return [...settled];
  const rows = await run<WrittenRow>(readWritten, [
    refused.map(({ jobId }) => jobId),
    refused.map(({ attemptNo }) => attemptNo),
    refused.map(({ verdict }) => verdict.outcome),
    workerId,
  ]);
  const written = new Map(rows.map((row) => [nameOf({ jobId: row.job_id, attemptNo: row.attempt_no }), row]));
  return settled.map((answer, index) => {
    const request = requests[index];
    const row = request === undefined ? undefined : written.get(nameOf(request));
    if (request === undefined || row === undefined || !isRefused(answer)) return answer;
    return { value: { state: row.state ?? meantState(request), dispatches: [] } };
  });
}

function isRefused(answer: Settled<Finished> | undefined): boolean {
  return answer !== undefined && 'value' in answer && answer.value.state === undefined;
}

/** Only what comes back can have begun again. */
function meantState({ verdict }: FinishRequest): JobState {
  if (verdict.outcome === 'failed') return 'retrying';
  return verdict.outcome === 'snoozed' ? 'snoozed' : 'waiting';
}
