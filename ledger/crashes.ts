// Telling a death from a lost lease. A process that is silent for most of a lease, and lets one run out, is taken for dead,
// and every attempt open in it is one set: crashed together. One that comes back after a silence (a pulled cable, a paused
// machine) is acquitted, and its jobs with it. Database time only; docs/decisions/0007 has the reasons.
import { sanitiseText } from '../shared/text.ts';
import type { Db } from './db.ts';
import { finalStates, sqlStates } from './moves.ts';

export interface Death {
  workerId: string;
  host: string;
  pid: number;
  /** How it ended, when somebody saw it. */
  reason: string | null;
  openAttempts: number;
}

const openAttempts = `(SELECT count(*)::int FROM job j WHERE j.worker_id = w.id AND j.state = 'running')`;
const told = `w.id AS "workerId", w.host, w.pid, w.crash_reason AS reason, w.open_attempts AS "openAttempts"`;

/** SQL of worker `w`: not taken for dead yet, was not asked to leave, and shows no sign of life. `ms` is a parameter. */
export function isSilent(ms: string): string {
  return `w.crashed_at IS NULL AND w.draining_at IS NULL AND w.stopped_at IS NULL
    AND w.seen_at < clock_timestamp() - ${ms} * interval '1 ms'`;
}

const findSilent = {
  name: 'worker_silent',
  text: `UPDATE worker w SET crashed_at = clock_timestamp(), open_attempts = ${openAttempts}
    WHERE w.id IN (SELECT worker_id FROM job WHERE state = 'running' AND lease_until < clock_timestamp())
      AND ${isSilent('$1')}
    RETURNING ${told}`,
};

/** A live process is seen every third of a lease or more often; a dead one, when its last lease runs out, for two thirds. */
const silentShare = 0.6;

/** After how many ms without a sign of life a process that let a lease run out is dead. */
export function silentMs(leaseMs: number): number {
  return leaseMs * silentShare;
}

/** Takes for dead those that let a lease run out and showed no sign of life for most of it. */
export function findDeaths(db: Db, leaseMs: number): Promise<Death[]> {
  return db.run<Death & object>(findSilent, [silentMs(leaseMs)]);
}

const noteDeath = {
  name: 'worker_died',
  text: `WITH ended AS (SELECT id FROM worker WHERE host = $1 AND pid = $2 ORDER BY started_at DESC LIMIT 1),
    dead AS (
      UPDATE worker w SET crashed_at = coalesce(w.crashed_at, clock_timestamp()), crash_reason = $3,
        open_attempts = greatest(w.open_attempts, ${openAttempts})
      WHERE w.id = (SELECT id FROM ended) AND w.draining_at IS NULL AND w.stopped_at IS NULL
      RETURNING ${told}),
    let_go AS (
      UPDATE job j SET lease_until = clock_timestamp() FROM worker w JOIN ended ON w.id = ended.id
      WHERE j.worker_id = w.id AND j.state = 'running' AND w.draining_at IS NOT NULL AND w.crashed_at IS NULL),
    led AS (DELETE FROM leader l USING ended WHERE l.holder = ended.id)
    SELECT * FROM dead`,
};

/**
 * Somebody saw the process end by itself: nobody has to wait for its leases and its duties. Empty when it had no row, had
 * stopped in order, or was asked to stop: whoever made it end then, its jobs did not, and are lost at once. A machine gives a
 * process id out again: the newest row is meant.
 */
export function workerDied(db: Db, seen: { host: string; pid: number; reason: string }): Promise<Death[]> {
  return db.run<Death & object>(noteDeath, [seen.host, seen.pid, sanitiseText(seen.reason, 200)]);
}

const blameRow = {
  name: 'worker_fault',
  text: `UPDATE job SET crashes = crashes + 1 WHERE worker_id = $1 AND state = 'running'`,
};

/**
 * A fault that nobody caught ends the process in order: its attempts end or are handed back, and each of their jobs was in a
 * death, because one of them may be the cause.
 */
export async function noteFault(db: Db, workerId: string): Promise<void> {
  await db.run(blameRow, [workerId]);
}

const acquitRow = {
  name: 'worker_acquit',
  text: `WITH back AS (
      UPDATE worker SET crashed_at = NULL, crash_reason = NULL, open_attempts = NULL
      WHERE id = $1 AND crashed_at IS NOT NULL RETURNING id),
    lost AS (
      UPDATE attempt a SET outcome = 'lost', message = 'the worker was silent for longer than its lease, and came back' FROM back
      WHERE a.worker_id = back.id AND a.outcome = 'crashed' AND a.code IS NULL RETURNING a.job_id)
    UPDATE job j SET crashes = j.crashes - 1 FROM lost
    WHERE j.id = lost.job_id AND j.crashes > 0 AND j.state NOT IN (${sqlStates(finalStates)})`,
};

/** The process lives after all: its attempts were lost, and no job of them was in a death. */
export async function acquit(db: Db, workerId: string): Promise<void> {
  await db.run(acquitRow, [workerId]);
}
