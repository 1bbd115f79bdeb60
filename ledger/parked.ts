// Parked jobs: no process that took them knew their kind or their payload's version. They use no attempt up and come back,
// as a new generation, as soon as a process can run them.
import { crashesToLane } from '../queues/quarantine.ts';
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { dispatchColumns, toDispatch, type DispatchRow } from './waiters.ts';

/** What one call frees at most. */
export const pageSize = 500;

const freed = `state = 'waiting', generation = j.generation + 1, run_at = clock_timestamp(), dispatched_at = NULL,
      parked_for = NULL, error_message = NULL`;

// A kind that moved to another queue goes there. While an older build takes from that queue too, it might get the job again
// and again (PostgreSQL wakes whoever idles longest): such jobs are left to takeParked.
const freeRows = {
  name: 'parked_free',
  text: `WITH live AS (
      SELECT queues, coalesce(knows, '{}') AS knows FROM worker
      WHERE stopped_at IS NULL AND seen_at > clock_timestamp() - $1 * interval '1 ms'),
    known AS (
      SELECT DISTINCT k AS entry, split_part(k, '/', 1) AS what, split_part(k, '/', 2) AS queue FROM live, unnest(live.knows) AS k),
    free AS (
      SELECT j.id, known.queue FROM job j JOIN known ON known.what = j.kind || '@' || j.payload_version
      WHERE j.state = 'parked' AND j.parked_for = 'build'
        AND NOT EXISTS (SELECT 1 FROM live WHERE known.queue = ANY(live.queues) AND NOT known.entry = ANY(live.knows))
      ORDER BY j.id LIMIT ${pageSize} FOR UPDATE OF j SKIP LOCKED)
    UPDATE job j SET ${freed}, queue = free.queue, claimed_until = ${claim}
    FROM free WHERE j.id = free.id
    RETURNING ${dispatchColumns('j')}`,
};

/** Frees a page of jobs that every live process of their queue can run; returns what must go to the engine. */
export async function freeParked(db: Db, aliveMs: number): Promise<Dispatch[]> {
  return (await db.run<DispatchRow>(freeRows, [aliveMs])).map(toDispatch);
}

// Should the process die before it begins them, the relay carries them to the engine once the claim is over.
const takeRows = {
  name: 'parked_take',
  text: `WITH mine AS (
      SELECT id FROM job WHERE state = 'parked' AND parked_for = 'build' AND crashes < ${crashesToLane}
        AND kind || '@' || payload_version || '/' || $2 = ANY($1::text[])
      ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
    UPDATE job j SET ${freed}, queue = $2, claimed_until = clock_timestamp() + interval '10 s'
    FROM mine WHERE j.id = mine.id
    RETURNING ${dispatchColumns('j')}`,
};

export interface TakeOptions {
  /** Of `knowledge()`. */
  knows: readonly string[];
  queue: string;
  limit: number;
}

/** Takes jobs that the calling process can run, past the engine: it must begin them now. */
export async function takeParked(db: Db, { knows, queue, limit }: TakeOptions): Promise<Dispatch[]> {
  return (await db.run<DispatchRow>(takeRows, [knows, queue, limit])).map(toDispatch);
}
