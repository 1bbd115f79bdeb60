// Fencing: what an attempt writes is refused once another one has taken over. Every write of one asks here.
import type { Begun } from './begin.ts';
import type { Tx } from './db.ts';

/** Another attempt has taken over: nothing was stored, and nothing more may be done. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The row of the job, as long as the attempt is its current one; `keyOf` gives the first three parameters. */
export const heldJob = `FROM job
  WHERE id = $1::uuid AND attempt_no = $2::int AND worker_id = $3::uuid AND state = 'running'`;

export function keyOf(begun: Begun): [jobId: string, attemptNo: number, workerId: string] {
  return [begun.jobId, begun.attemptNo, begun.workerId];
}

/** Locks the job row: the write of an attempt and a takeover of its job cannot both happen. */
export async function fence(tx: Tx, begun: Begun): Promise<void> {
  checkHeld(begun, await tx.$queryRawUnsafe(`SELECT 1 ${heldJob} FOR NO KEY UPDATE`, ...keyOf(begun)));
}

/** Throws when a statement that begins with `heldJob` has found no row. */
export function checkHeld(begun: Begun, rows: readonly unknown[]): void {
  if (rows.length === 0)
    throw new FencedError(`step failed: attempt ${begun.attemptNo} is no longer the current one`);
}
