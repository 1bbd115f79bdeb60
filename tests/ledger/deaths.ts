// Processes that die, for tests on the real ledger: they begin jobs, fall silent or are seen to end, and a round of the rescuer follows.
import { hostname } from 'node:os';
import { newId } from '../../shared/ids.ts';
import { registry } from '../../queues/index.ts';
import { createAttempts, type Attempts } from '../../ledger/attempts.ts';
import { findDeaths, workerDied } from '../../ledger/crashes.ts';
import { limitsOf, rescue } from '../../ledger/rescue.ts';
import { registerWorker } from '../../ledger/workers.ts';
import { begunOf } from './lives.ts';
import { addJob, query, type LedgerWorld } from './world.ts';

export const leaseMs = 1_000;
export const limits = limitsOf(registry);

export interface Worker {
  id: string;
  attempts: Attempts;
  /** Begins the jobs, or new ones. */
  begin: (jobs: number | readonly string[]) => Promise<string[]>;
}

export async function worker(world: LedgerWorld, queues: readonly string[] = []): Promise<Worker> {
  const id = newId();
  await registerWorker(world.db, { id, version: 'test', queues, knows: [] });
  const { db, events } = world;
  const attempts = createAttempts({
    db,
    workerId: id,
    leaseMs: 60_000,
    emit: events.emit,
    onCommitted: () => undefined,
  });
  return {
    id,
    attempts,
    async begin(jobs) {
      const ids =
        typeof jobs === 'number'
          ? await Promise.all(Array.from({ length: jobs }, () => addJob(world)))
          : [...jobs];
      for (const jobId of ids) {
        const [row] = await query<{ generation: number }>(world, 'SELECT generation FROM job WHERE id = $1', [
          jobId,
        ]);
        begunOf(await attempts.begin({ jobId, generation: row?.generation ?? 1 }));
      }
      return ids;
    },
  };
}

/** As if its last sign of life were `ms` ago and the lease of one of its jobs had run out. */
export async function silence(world: LedgerWorld, { id }: Worker, ms = leaseMs): Promise<void> {
  await query(world, `UPDATE worker SET seen_at = now() - $2 * interval '1 ms' WHERE id = $1`, [id, ms]);
  const one = `SELECT id FROM job WHERE worker_id = $1 AND state = 'running' ORDER BY id LIMIT 1`;
  await query(world, `UPDATE job SET lease_until = now() - interval '1 ms' WHERE id = (${one})`, [id]);
}

/** Somebody sees it end by itself. The pid of this very process stands for each of the test's, so only one may be open. */
export async function die(world: LedgerWorld, { id }: Worker, reason = 'SIGSEGV'): Promise<void> {
  await query(world, 'UPDATE worker SET pid = -1 WHERE id <> $1', [id]);
  await workerDied(world.db, { host: hostname(), pid: process.pid, reason });
}

export async function round(world: LedgerWorld): Promise<Awaited<ReturnType<typeof rescue>>> {
  await findDeaths(world.db, leaseMs);
  return rescue(world.db, limits, leaseMs);
}

export function look(world: LedgerWorld, id: string): Promise<object[]> {
  return query(
    world,
    `SELECT j.state, j.crashes, j.failures, array_agg(a.outcome::text ORDER BY a.attempt_no) AS outcomes
     FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.id = $1 GROUP BY j.id`,
    [id],
  );
}
