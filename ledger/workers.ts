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

export async function registerWorker(db: Db, worker: WorkerRow): Promise<void> {
  const { id, version, queues, knows } = worker;
  await db.prisma.worker.createMany({
    data: { id, host: hostname(), pid: process.pid, version, queues: [...queues], knows: [...knows] },
    skipDuplicates: true, // sent again after a lost answer
  });
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
