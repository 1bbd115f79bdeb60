// Leases, progress and rescue: who runs what, in database time. A lease that is not renewed is a dead worker's.
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { dispatchColumns, toDispatch, wakeWaiters, type DispatchRow } from './waiters.ts';

export interface Lease {
  jobId: string;
  attemptNo: number;
}

export interface ProgressNote extends Lease {
  /** 0 to 100. */
  percent: number;
  message: string | null;
}

const renewRows = {
  name: 'lease_renew',
  text: `UPDATE job j SET lease_until = clock_timestamp() + $3 * interval '1 ms'
    FROM unnest($1::uuid[], $2::int[]) AS d(id, attempt_no)
    WHERE j.id = d.id AND j.attempt_no = d.attempt_no AND j.worker_id = $4 AND j.state = 'running'
    RETURNING j.id, j.cancel_requested_at IS NOT NULL AS cancelled`,
};

export async function renewLeases(
  db: Db,
  owner: { workerId: string; leaseMs: number },
  leases: readonly Lease[],
): Promise<{ lost: readonly string[]; cancelled: readonly string[] }> {
  if (leases.length === 0) return { lost: [], cancelled: [] };
  const rows = await db.run<{ id: string; cancelled: boolean }>(renewRows, [
    leases.map((lease) => lease.jobId),
    leases.map((lease) => lease.attemptNo),
    owner.leaseMs,
    owner.workerId,
  ]);
  const held = new Set(rows.map((row) => row.id));
  return {
    lost: leases.map((lease) => lease.jobId).filter((id) => !held.has(id)),
    cancelled: rows.filter((row) => row.cancelled).map((row) => row.id),
  };
}

const progressRows = {
  name: 'attempt_progress',
  text: `UPDATE job j SET progress = d.percent, progress_message = d.message
    FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::text[]) AS d(id, attempt_no, percent, message)
    WHERE j.id = d.id AND j.attempt_no = d.attempt_no AND j.state = 'running'`,
};

export async function writeProgress(db: Db, notes: readonly ProgressNote[]): Promise<void> {
  await db.run(progressRows, [
    notes.map((note) => note.jobId),
    notes.map((note) => note.attemptNo),
    notes.map((note) => note.percent),
    notes.map((note) => note.message),
  ]);
}

// SKIP LOCKED: two rescuers share the work, and a finish that is being written right now wins.
const rescueRows = {
  name: 'lease_rescue',
  text: `WITH lost AS (
      SELECT id, CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' WHEN give_up_at < clock_timestamp() THEN 'expired' ELSE 'waiting' END::job_state AS next
      FROM job WHERE state = 'running' AND lease_until < clock_timestamp() ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED),
    moved AS (
      UPDATE job j SET state = lost.next, lease_until = NULL,
        generation = j.generation + (lost.next = 'waiting')::int,
        dispatched_at = CASE WHEN lost.next = 'waiting' THEN NULL ELSE j.dispatched_at END,
        claimed_until = CASE WHEN lost.next = 'waiting' THEN ${claim} END,
        run_at = CASE WHEN lost.next = 'waiting' THEN clock_timestamp() ELSE j.run_at END,
        finished_at = CASE WHEN lost.next <> 'waiting' THEN clock_timestamp() END
      FROM lost WHERE j.id = lost.id
      RETURNING j.waiter_id, j.attempt_no, j.worker_id, j.started_at, ${dispatchColumns('j')}),
    ended AS (
      INSERT INTO attempt (job_id, attempt_no, generation, outcome, message, worker_id, started_at, ended_at)
      SELECT id, attempt_no, generation - (state = 'waiting')::int, 'lost', 'the worker did not renew its lease', worker_id, started_at, clock_timestamp() FROM moved),
    ${wakeWaiters('moved')}
    SELECT true AS own, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM moved
    UNION ALL SELECT false, id, state, generation, kind, queue, priority, tenant, summary, attempt, delay_ms FROM woken`,
};

/** Gives back the jobs whose lease ran out; their attempts count as lost and use none up. */
export async function rescue(db: Db): Promise<{ rescued: number; dispatches: Dispatch[] }> {
  const rows = await db.run<DispatchRow & { own: boolean }>(rescueRows, []);
  return {
    rescued: rows.filter((row) => row.own).length,
    dispatches: rows.filter((row) => row.state === 'waiting').map(toDispatch),
  };
}
