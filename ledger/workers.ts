// The work processes, as rows: who is alive, with which queues. Read by people and by the rescuer's evidence.
import { hostname } from 'node:os';
import { acquit } from './crashes.ts';
import type { Db } from './db.ts';

export interface WorkerRow {
  id: string;
  version: string;
  queues: readonly string[];
  /** Of `knowledge()`: what it can run. */
  knows: readonly string[];
}

// By hand: the first query through Prisma loads its compiler, a fifth of a second that a process after a crash can do without.
// On conflict: sent again after a lost answer.
const registerRow = {
  name: 'worker_register',
  text: `INSERT INTO worker (id, host, pid, version, queues, knows) VALUES ($1, $2, $3, $4, $5::text[], $6::text[])
    ON CONFLICT (id) DO NOTHING`,
};

export async function registerWorker(db: Db, { id, version, queues, knows }: WorkerRow): Promise<void> {
  await db.run(registerRow, [id, hostname(), process.pid, version, queues, knows]);
}

const seenRow = {
  name: 'worker_seen',
  text: `UPDATE worker SET seen_at = clock_timestamp() WHERE id = $1 RETURNING crashed_at IS NOT NULL AS dead`,
};
const drainRow = {
  name: 'worker_drain',
  text: `UPDATE worker SET draining_at = clock_timestamp(), seen_at = clock_timestamp() WHERE id = $1`,
};
const stopRow = {
  name: 'worker_stop',
  text: `UPDATE worker SET stopped_at = clock_timestamp(), seen_at = clock_timestamp() WHERE id = $1`,
};

/** A sign of life; it also takes back that the process was taken for dead. */
export async function workerSeen(db: Db, id: string): Promise<void> {
  const [row] = await db.run<{ dead: boolean }>(seenRow, [id]);
  if (row?.dead === true) await acquit(db, id);
}

/** The process was asked to leave: should it be killed before it has, its attempts are lost and nobody is to blame. */
export async function workerDraining(db: Db, id: string): Promise<void> {
  await db.run(drainRow, [id]);
}

export async function workerStopped(db: Db, id: string): Promise<void> {
  await db.run(stopRow, [id]);
}
