// Ending attempts: outcome, new state, attempt row and waiters in one statement, for many attempts at once.
// Every row carries its attempt number; a row that another attempt has taken over is left alone and reported as refused.
import type { Settled } from '../shared/batcher.ts';
import type { FailureCode } from '../shared/errors.ts';
import { quarantineQueue } from '../queues/quarantine.ts';
import type { Run } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { inLockOrder } from './lock-order.ts';
import { finalStates, sqlStates, startableStates, type JobState } from './moves.ts';
import { dispatchColumns, toDispatch, wakeWaiters, type DispatchRow } from './waiters.ts';

/** How an attempt ended, in the words of the host. */
export type Verdict =
  | { outcome: 'succeeded'; result: string }
  | { outcome: 'failed'; code: FailureCode; message: string; stack: string | null; retryInMs: number | null }
  | { outcome: 'snoozed'; code: FailureCode; message: string; retryInMs: number }
  /** `parked`: why this build must not run it; the job rests until another one can. */
  | { outcome: 'interrupted'; parked?: string }
  | { outcome: 'cancelled' };

export interface FinishRequest {
  jobId: string;
  attemptNo: number;
  verdict: Verdict;
  /** The job has no waiter, as far as its begin said: a success may take the short way (ledger/succeed.ts). */
  plain?: boolean;
}

/** `undefined` state: refused, because the attempt is no longer the current one. */
export interface Finished {
  state: JobState | undefined;
  /** Jobs that must go to the engine now: this one when it comes back, or died in the lane, and waiters that were set free. */
  dispatches: readonly Dispatch[];
}

interface FinishRow {
  id: string;
  attempt_no: number;
  outcome: Verdict['outcome'];
  state: JobState;
  retry_ms: number;
  failed: boolean;
  result: string | null;
  code: string | null;
  message: string | null;
  stack: string | null;
}

const types = {
  id: 'uuid',
  attempt_no: 'int',
  outcome: 'attempt_outcome',
  state: 'job_state',
  retry_ms: 'float8',
  failed: 'boolean',
  result: 'jsonb',
  code: 'text',
  message: 'text',
  stack: 'text',
} as const satisfies Record<keyof FinishRow, string>;
const names = Object.keys(types) as (keyof FinishRow)[];

// A cancel that was asked for wins over every outcome; a return that would come after give_up_at is an expiry.
const nextState = `CASE WHEN j.cancel_requested_at IS NOT NULL THEN 'cancelled'::job_state
  WHEN d.state IN ('retrying', 'snoozed') AND clock_timestamp() + d.retry_ms * interval '1 ms' > j.give_up_at THEN 'expired'::job_state
  ELSE d.state END`;
const returns = `(${nextState}) IN (${sqlStates(startableStates)})`;
// One that dies in the quarantine lane goes to the engine once more, by its own queue, to be told there that it is dead: no board
// shows the lane (docs/decisions/0011).
const goes = `(${returns} OR ((${nextState}) = 'dead'
  AND EXISTS (SELECT 1 FROM worker w WHERE w.id = j.worker_id AND '${quarantineQueue}' = ANY(w.queues))))`;

const finishRows = {
  name: 'attempt_finish',
  text: `WITH d AS (
      SELECT * FROM unnest(${names.map((name, index) => `$${index + 1}::${types[name]}[]`).join(', ')}) AS t(${names.join(', ')})),
    moved AS (
      UPDATE job j SET state = ${nextState},
        generation = j.generation + ${goes}::int,
        dispatched_at = CASE WHEN ${goes} THEN NULL ELSE j.dispatched_at END,
        claimed_until = CASE WHEN ${goes} THEN ${claim} END,
        parked_for = CASE WHEN (${nextState}) = 'parked' THEN 'build' END,
        run_at = CASE WHEN ${returns} THEN clock_timestamp() + d.retry_ms * interval '1 ms' ELSE j.run_at END,
        finished_at = CASE WHEN (${nextState}) IN (${sqlStates(finalStates)}) THEN clock_timestamp() END,
        failures = j.failures + (d.failed AND j.cancel_requested_at IS NULL)::int, lease_until = NULL,
        progress = CASE WHEN d.outcome = 'succeeded' THEN 100 ELSE j.progress END,
        result = CASE WHEN (${nextState}) = 'succeeded' THEN d.result END, error_code = d.code, error_message = d.message
      FROM d WHERE j.id = d.id AND j.attempt_no = d.attempt_no AND j.worker_id = $${names.length + 1} AND j.state = 'running'
      RETURNING j.waiter_id, j.attempt_no, j.worker_id, j.started_at,
        j.claimed_until IS NOT NULL AS goes, ${dispatchColumns('j')}),
    ended AS (
      INSERT INTO attempt (job_id, attempt_no, generation, outcome, code, message, stack, worker_id, started_at, ended_at)
      SELECT m.id, m.attempt_no, m.generation - m.goes::int,
        CASE WHEN m.state = 'cancelled' THEN 'cancelled'::attempt_outcome ELSE d.outcome END, d.code, d.message, d.stack,
        m.worker_id, m.started_at, clock_timestamp()
      FROM moved m JOIN d ON d.id = m.id AND d.attempt_no = m.attempt_no),
    ${wakeWaiters('moved')}
    SELECT attempt_no AS own, goes, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM moved
    UNION ALL SELECT NULL, NULL, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM woken`,
};

/** `own`: the number of the attempt that ended; null for a waiter that was counted down. */
type ResultRow = DispatchRow & { own: number | null; goes: boolean | null; state: JobState };

/** Writes the outcomes of a batch, in one statement: all of it or nothing. */
export async function finishBatch(
  run: Run,
  workerId: string,
  requests: readonly FinishRequest[],
): Promise<Settled<Finished>[]> {
  const rows = inLockOrder(requests.map(toRow), ({ id }) => id);
  const columns = names.map((name) => rows.map((row) => row[name]));
  const returned = await run<ResultRow>(finishRows, [...columns, workerId]);
  const own = new Map<string, ResultRow>();
  const woken: Dispatch[] = [];
  for (const row of returned) {
    if (row.own !== null) own.set(`${row.id}:${row.own}`, row);
    else if (row.state === 'waiting') woken.push(toDispatch(row));
  }
  return requests.map(({ jobId, attemptNo }, index) => ({
    value: toFinished(own.get(`${jobId}:${attemptNo}`), index === 0 ? woken : []),
  }));
}

function toFinished(row: ResultRow | undefined, woken: readonly Dispatch[]): Finished {
  if (row === undefined) return { state: undefined, dispatches: woken };
  return { state: row.state, dispatches: row.goes === true ? [toDispatch(row), ...woken] : woken };
}

const empty = { retry_ms: 0, failed: false, result: null, code: null, message: null, stack: null };

function toRow({ jobId, attemptNo, verdict }: FinishRequest): FinishRow {
  const row = { ...empty, id: jobId, attempt_no: attemptNo, outcome: verdict.outcome };
  switch (verdict.outcome) {
    case 'succeeded':
      return { ...row, state: 'succeeded', result: verdict.result };
    case 'failed': {
      const { code, message, stack, retryInMs } = verdict;
      return {
        ...row,
        state: retryInMs === null ? 'dead' : 'retrying',
        retry_ms: retryInMs ?? 0,
        failed: true,
        code,
        message,
        stack,
      };
    }
    case 'snoozed':
      return {
        ...row,
        state: 'snoozed',
        retry_ms: verdict.retryInMs,
        code: verdict.code,
        message: verdict.message,
      };
    case 'interrupted':
      if (verdict.parked === undefined) return { ...row, state: 'waiting' };
      return { ...row, state: 'parked', message: verdict.parked };
    case 'cancelled':
      return { ...row, state: 'cancelled' };
  }
}
