// Leases and progress: who runs what, in database time. A lease that is not renewed ends: ledger/rescue.ts gives its job back.
import type { Db, Statement } from './db.ts';
import { inLockOrder } from './lock-order.ts';

export interface Lease {
  jobId: string;
  attemptNo: number;
}

export interface ProgressNote extends Lease {
  /** 0 to 100. */
  percent: number;
  message: string | null;
}

const isOurs = `j.id = d.id AND j.attempt_no = d.attempt_no AND j.worker_id = $4 AND j.state = 'running'`;

const secureRows = {
  name: 'lease_secure',
  text: `UPDATE job j SET lease_until = clock_timestamp() + $3 * interval '1 ms'
    FROM unnest($1::uuid[], $2::int[]) AS d(id, attempt_no) WHERE ${isOurs}
    RETURNING j.id, j.cancel_requested_at IS NOT NULL AS cancelled, false AS locked`,
};

// All leases of a process in one statement: one row that somebody has locked must not cost the others theirs. Who has it locked is
// the job's own commit or an operator; the rescuer passes it by as well.
const renewRows = {
  name: 'lease_renew',
  text: `WITH d AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS d(id, attempt_no)),
    free AS (SELECT j.id FROM job j JOIN d ON ${isOurs} FOR NO KEY UPDATE OF j SKIP LOCKED),
    renewed AS (UPDATE job j SET lease_until = clock_timestamp() + $3 * interval '1 ms' FROM free WHERE j.id = free.id RETURNING j.id)
    SELECT j.id, j.cancel_requested_at IS NOT NULL AS cancelled, renewed.id IS NULL AS locked
    FROM job j JOIN d ON ${isOurs} LEFT JOIN renewed ON renewed.id = j.id`,
};

interface Owner {
  workerId: string;
  leaseMs: number;
}

export interface Renewed {
  lost: readonly string[];
  cancelled: readonly string[];
  /** Of how many the lease is as it was: ask again soon. */
  locked: number;
}

/**
 * A row that is locked just now is left as it is. A connection that has gone dumb is given up while there is time to ask on
 * another one: it must not cost a process all that it runs.
 */
export function renewLeases(db: Db, owner: Owner, leases: readonly Lease[]): Promise<Renewed> {
  return renew(db, { ...renewRows, silenceMs: Math.max(2_000, owner.leaseMs / 5) }, owner, leases);
}

/** Waits for each row, and for the commit: what was written of these attempts before is safe then. */
export function secureLeases(db: Db, owner: Owner, leases: readonly Lease[]): Promise<Renewed> {
  return renew(db, secureRows, owner, leases);
}

async function renew(db: Db, statement: Statement, owner: Owner, leases: readonly Lease[]): Promise<Renewed> {
  if (leases.length === 0) return { lost: [], cancelled: [], locked: 0 };
  const ordered = inLockOrder(leases, ({ jobId }) => jobId);
  const rows = await db.run<{ id: string; cancelled: boolean; locked: boolean }>(statement, [
    ordered.map((lease) => lease.jobId),
    ordered.map((lease) => lease.attemptNo),
    owner.leaseMs,
    owner.workerId,
  ]);
  const held = new Set(rows.map((row) => row.id));
  return {
    lost: leases.map((lease) => lease.jobId).filter((id) => !held.has(id)),
    cancelled: rows.filter((row) => row.cancelled).map((row) => row.id),
    locked: rows.filter((row) => row.locked).length,
  };
}

const progressRows = {
  name: 'attempt_progress',
  text: `UPDATE job j SET progress = d.percent, progress_message = d.message
    FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::text[]) AS d(id, attempt_no, percent, message)
    WHERE j.id = d.id AND j.attempt_no = d.attempt_no AND j.worker_id = $5 AND j.state = 'running'`,
};

export async function writeProgress(
  db: Db,
  { workerId }: Pick<Owner, 'workerId'>,
  given: readonly ProgressNote[],
): Promise<void> {
  const notes = inLockOrder(given, ({ jobId }) => jobId);
  await db.run(progressRows, [
    notes.map((note) => note.jobId),
    notes.map((note) => note.attemptNo),
    notes.map((note) => note.percent),
    notes.map((note) => note.message),
    workerId,
  ]);
}
