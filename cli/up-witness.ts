// `storytime up` sees its work process end by itself, and says so in the ledger: its jobs go on when the next one is there,
// and wait for no lease.
import { hostname } from 'node:os';
import { workerDied } from '../ledger/crashes.ts';
import { openDb } from '../ledger/db.ts';

/** What to call with the process and how it ended. Without the witness the lease tells, a little later. */
export function witness(databaseUrl: string): (pid: number, how: string) => void {
  return (pid, how) => void bear(databaseUrl, pid, how);
}

async function bear(databaseUrl: string, pid: number, reason: string): Promise<void> {
  const db = openDb({ url: databaseUrl, poolSize: 1, statementTimeoutMs: 2_000, emit: () => undefined });
  await workerDied(db, { host: hostname(), pid, reason }).catch(() => undefined);
  await db.close().catch(() => undefined);
}
