// Leases and progress: who runs what, in database time. A lease that is not renewed ends: ledger/rescue.ts gives its job back.
import type { Db } from './db.ts';

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
