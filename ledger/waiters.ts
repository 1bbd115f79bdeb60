// Completion of a set of children. A waiter is born blocked with the number of jobs it waits for; every statement that
// makes a job final counts it down in the same transaction, and the one that reaches zero sets it waiting.
import { crashesToLane, quarantineQueue } from '../queues/quarantine.ts';
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { finalStates, sqlStates } from './moves.ts';

/**
 * The engine's queue of a job, as SQL: its own, or the lane of those that were in a process that died twice. Of the dead it is their
 * own again: they go there to be listed, not to be run.
 */
export const engineQueue = (alias: string): string =>
  `CASE WHEN ${alias}.crashes >= ${crashesToLane} AND ${alias}.state <> 'dead' THEN '${quarantineQueue}' ELSE ${alias}.queue END`;

/** The number of the attempt that a delivery is for, as SQL; of the dead the last one that was used up. */
export const shownAttempt = (alias: string): string =>
  `greatest(1, ${alias}.failures + (${alias}.state <> 'dead')::int)`;

/** The columns a statement returns for every job that must go to the engine; `queue` is the engine's. */
export const dispatchColumns = (alias: string): string =>
  `${alias}.id, ${alias}.state, ${alias}.generation, ${alias}.kind, ${engineQueue(alias)} AS queue, ${alias}.priority, ${alias}.tenant, ${alias}.summary,
    ${shownAttempt(alias)} AS attempt, greatest(0, extract(epoch FROM ${alias}.run_at - clock_timestamp()) * 1000)::float8 AS delay_ms`;

export interface DispatchRow extends Omit<Dispatch, 'delayMs'> {
  state: string;
  delay_ms: number;
}

export function toDispatch(row: DispatchRow): Dispatch {
  const { id, generation, kind, queue, priority, tenant, summary, attempt, delay_ms: delayMs } = row;
  return { id, generation, kind, queue, priority, tenant, summary, attempt, delayMs };
}

// A waiter is due when its last child has ended and has as long from then as any job: the children may have used up the day.
const itsOwnTime = 'clock_timestamp() + (w.give_up_at - w.run_at)';

/**
 * Two CTEs, `freed` and `woken`, that count down the waiters of the rows of `ended` (which has waiter_id and state).
 * Concurrent countdowns serialise on the waiter's row; PostgreSQL recomputes the difference from the newest version.
 */
export function wakeWaiters(ended: string): string {
  return `freed AS (
      SELECT waiter_id, count(*)::int AS ended FROM ${ended}
      WHERE waiter_id IS NOT NULL AND state IN (${sqlStates(finalStates)}) GROUP BY waiter_id ORDER BY waiter_id),
    woken AS (
      UPDATE job w SET open_children = w.open_children - f.ended,
        state = CASE WHEN w.open_children <= f.ended THEN 'waiting' ELSE w.state END,
        run_at = CASE WHEN w.open_children <= f.ended THEN clock_timestamp() ELSE w.run_at END,
        give_up_at = CASE WHEN w.open_children <= f.ended THEN ${itsOwnTime} ELSE w.give_up_at END,
        claimed_until = ${claim}
      FROM freed f WHERE w.id = f.waiter_id AND w.state = 'blocked'
      RETURNING ${dispatchColumns('w')})`;
}

const repairRows = {
  name: 'waiters_repair',
  text: `WITH wrong AS (
      SELECT w.id, w.open_children, (SELECT count(*) FROM job c WHERE c.waiter_id = w.id AND c.state NOT IN (${sqlStates(finalStates)}))::int AS really
      FROM job w WHERE w.state = 'blocked' AND w.created_at < clock_timestamp() - interval '10 s')
    UPDATE job w SET open_children = x.really, claimed_until = clock_timestamp(),
      state = CASE WHEN x.really = 0 THEN 'waiting' ELSE w.state END,
      run_at = CASE WHEN x.really = 0 THEN clock_timestamp() ELSE w.run_at END,
      give_up_at = CASE WHEN x.really = 0 THEN ${itsOwnTime} ELSE w.give_up_at END
    FROM wrong x WHERE w.id = x.id AND w.state = 'blocked' AND w.open_children = x.open_children AND x.really <> x.open_children
    RETURNING w.id`,
};

/** Repairs waiters whose count is not the number of their open children. Returns how many: it must stay 0. */
export async function repairWaiters(db: Db): Promise<number> {
  return (await db.run(repairRows, [])).length;
}
