// How long the dead went unnoticed: from the end of a work process to the ledger's giving its jobs back.
import type { Db } from '../../../ledger/db.ts';
import type { Member } from './fleet.ts';

const readGivenBack = {
  name: 'recovery_given_back',
  text: `SELECT w.pid, max(extract(epoch FROM a.ended_at) * 1000)::float8 AS at FROM attempt a JOIN worker w ON w.id = a.worker_id
    WHERE a.outcome::text IN ('lost', 'crashed') GROUP BY w.pid`,
};

/** Milliseconds, the longest of all deaths; 0 when no dead process held a job. */
export async function longestRescue(members: readonly Member[], db: Db): Promise<number> {
  const rows = await db.run<{ pid: number; at: number }>(readGivenBack, []);
  const deaths = new Map(members.flatMap(({ ends }) => ends.map(({ pid, at }) => [pid, at] as const)));
  return Math.max(0, ...rows.map(({ pid, at }) => at - (deaths.get(pid) ?? at)));
}
