// Gives back the jobs of attempts that nobody ends any more: their lease ran out, or their process died. Lost and crashed
// attempts are free. A job that was alone in a process that somebody saw die is proven guilty: that attempt is used up, and
// in the quarantine lane, where every job is alone, it is dead. Such a dead job goes to the engine once more, by its own queue:
// its begin is refused, and the delivery fails with the reason, so that it is on Bull Board's Failed list like all the dead.
import type { Registry } from '../queues/registry.ts';
import { crashesToDeath, crashesToLane, quarantineQueue } from '../queues/quarantine.ts';
import { isSilent, silentMs } from './crashes.ts';
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { parkedForLane, roomInLane } from './lane.ts';
import { finalStates, sqlStates, type JobState } from './moves.ts';
import { dispatchColumns, toDispatch, wakeWaiters, type DispatchRow } from './waiters.ts';

/** Kinds and how many attempts each has: only a proven crash asks for them. */
export interface AttemptLimits {
  kinds: readonly string[];
  attempts: readonly number[];
}

export interface Rescued {
  id: string;
  kind: string;
  /** The job's own queue. */
  queue: string;
  state: JobState;
  outcome: 'lost' | 'crashed';
  message: string;
}

// SKIP LOCKED: two rescuers share the work, and a finish that is being written right now wins. An attempt that began after
// its process was taken for dead is one of a process that came back. One whose process is silent, but not taken for dead yet,
// waits for the next look: its lease ran out after this one, and would be called lost by the accident of a millisecond.
// What the verdict goes by is read here, from the row as it is once it is locked: a cancel may have come since the statement began.
const gone = `SELECT j.id, j.queue, j.kind, j.crashes, j.failures, j.cancel_requested_at, j.give_up_at, coalesce(w.crashed_at >= j.started_at, false) AS crashed, w.crash_reason, w.open_attempts,
    w.crash_reason IS NOT NULL AND w.open_attempts = 1 AND w.crashed_at >= j.started_at AS proven,
    '${quarantineQueue}' = ANY(w.queues) AS laned
  FROM job j LEFT JOIN worker w ON w.id = j.worker_id
  WHERE j.state = 'running' AND (w.crashed_at >= j.started_at
    OR (j.lease_until < clock_timestamp() AND NOT coalesce(${isSilent('$3')}, false)))
  ORDER BY j.id LIMIT 500 FOR UPDATE OF j SKIP LOCKED`;

const judged = `SELECT g.*, g.crashes + g.crashed::int AS crashes_now, row_number() OVER (ORDER BY g.id) AS place,
    CASE WHEN g.cancel_requested_at IS NOT NULL THEN 'cancelled'
      WHEN g.proven AND (g.laned OR g.failures + 1 >= l.attempts) THEN 'dead'
      WHEN g.crashed AND g.laned AND g.crashes + 1 >= ${crashesToDeath} THEN 'dead'
      WHEN g.give_up_at < clock_timestamp() THEN 'expired' ELSE 'waiting' END AS verdict,
    CASE WHEN NOT g.crashed THEN 'the worker did not renew its lease'
      WHEN g.open_attempts = 1 THEN 'its process died while it ran alone: ' || coalesce(g.crash_reason, 'no sign of life')
      ELSE 'its process died while ' || g.open_attempts || ' attempts ran: ' || coalesce(g.crash_reason, 'no sign of life') END AS message
  FROM gone g LEFT JOIN unnest($1::text[], $2::int[]) AS l(kind, attempts) ON l.kind = g.kind`;

const fates = `SELECT *, CASE WHEN verdict = 'waiting' AND crashes_now >= ${crashesToLane} AND crashed AND place > ${roomInLane}
    THEN 'parked' ELSE verdict END::job_state AS next FROM judged`;

const dispatched = sqlStates(['waiting', 'dead']);

const rescueRows = {
  name: 'attempt_rescue',
  text: `WITH gone AS MATERIALIZED (${gone}), judged AS (${judged}), fates AS MATERIALIZED (${fates}),
    moved AS (
      UPDATE job j SET state = f.next, lease_until = NULL, crashes = f.crashes_now,
        failures = j.failures + coalesce(f.proven, false)::int,
        generation = j.generation + (f.next IN (${dispatched}))::int,
        dispatched_at = CASE WHEN f.next IN (${dispatched}) THEN NULL ELSE j.dispatched_at END,
        claimed_until = CASE WHEN f.next IN (${dispatched}) THEN ${claim} END,
        run_at = CASE WHEN f.next IN ('waiting', 'parked') THEN clock_timestamp() ELSE j.run_at END,
        parked_for = CASE WHEN f.next = 'parked' THEN '${parkedForLane}' END,
        finished_at = CASE WHEN f.next IN (${sqlStates(finalStates)}) THEN clock_timestamp() END,
        error_code = CASE WHEN f.next = 'dead' THEN 'bug' ELSE j.error_code END,
        error_message = CASE WHEN f.next = 'dead' THEN 'poison: ' || f.message || ', ' || f.crashes_now || ' crashes in all; mend its handler, then run it anew'
          WHEN f.next = 'parked' THEN 'the quarantine lane is full; it goes on by itself when there is room' ELSE j.error_message END
      FROM fates f WHERE j.id = f.id
      RETURNING j.waiter_id, j.attempt_no, j.worker_id, j.started_at, f.queue AS own_queue, f.crashed, f.proven, f.message, ${dispatchColumns('j')}),
    ended AS (
      INSERT INTO attempt (job_id, attempt_no, generation, outcome, code, message, worker_id, started_at, ended_at)
      SELECT id, attempt_no, generation - (state IN (${dispatched}))::int, CASE WHEN crashed THEN 'crashed' ELSE 'lost' END::attempt_outcome,
        CASE WHEN proven THEN 'bug' END, message, worker_id, started_at, clock_timestamp() FROM moved),
    ${wakeWaiters('moved')}
    SELECT own_queue, crashed, message, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM moved
    UNION ALL SELECT NULL, NULL, NULL, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM woken`,
};

/** `own_queue` is null for a waiter that was counted down. */
type RescueRow = DispatchRow & {
  own_queue: string | null;
  crashed: boolean;
  message: string;
  state: JobState;
};

/** Gives back what nobody runs any more, at most 500 attempts. Comes after `findDeaths()` with the same lease. */
export async function rescue(
  db: Db,
  limits: AttemptLimits,
  leaseMs: number,
): Promise<{ rescued: readonly Rescued[]; dispatches: readonly Dispatch[] }> {
  const rows = await db.run<RescueRow>(rescueRows, [limits.kinds, limits.attempts, silentMs(leaseMs)]);
  return {
    rescued: rows.flatMap(({ own_queue: queue, id, kind, state, crashed, message }) =>
      queue === null ? [] : [{ id, kind, queue, state, outcome: crashed ? 'crashed' : 'lost', message }],
    ),
    dispatches: rows.filter(({ state }) => state === 'waiting' || state === 'dead').map(toDispatch),
  };
}

/** By every name that a job may have been stored under. */
export function limitsOf(registry: Registry): AttemptLimits {
  const named = [...registry.kinds.values()].flatMap(({ kind, definition, retry }) =>
    [kind, ...(definition.aliases ?? [])].map((name) => ({ name, attempts: retry.attempts })),
  );
  return { kinds: named.map(({ name }) => name), attempts: named.map(({ attempts }) => attempts) };
}
