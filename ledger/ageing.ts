// Ageing: a job that waits too long behind later ones of higher priority gets the highest priority itself, so that it is served
// first come, first served with them. Few at a time, so that an old backlog cannot drown what is urgent.
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { sqlStates, startableStates } from './moves.ts';
import { dispatchColumns, toDispatch, type DispatchRow } from './waiters.ts';

/** Raised jobs of one queue that may wait at once. */
export const raisedAtOnce = 200;
/** How many of the oldest due jobs of a queue and state are looked at: the raised ones are always among them. */
const window = 1_000;

// A new priority is a new generation, as every way to the engine. By the index of open jobs: nothing is sorted but the window.
const raiseRows = {
  name: 'ageing_raise',
  text: `WITH oldest AS (
      SELECT x.* FROM unnest($1::text[]) AS q(queue), unnest(ARRAY[${sqlStates(startableStates)}]) AS s(state), LATERAL (
        SELECT id, queue, priority, aged_from, run_at FROM job j
        WHERE j.state = s.state AND j.state IN (${sqlStates(startableStates)}) AND j.queue = q.queue
          AND j.run_at < statement_timestamp() - $2 * interval '1 ms'
        ORDER BY j.run_at LIMIT ${window}) AS x),
    raised AS (SELECT queue, count(aged_from) AS waiting FROM oldest GROUP BY queue),
    behind AS (
      SELECT id, queue, row_number() OVER (PARTITION BY queue ORDER BY run_at) AS place FROM oldest WHERE priority > 1),
    chosen AS (
      SELECT j.id FROM behind b JOIN raised USING (queue) JOIN job j ON j.id = b.id
      WHERE b.place <= ${raisedAtOnce} - raised.waiting AND j.state IN (${sqlStates(startableStates)})
      ORDER BY j.id FOR UPDATE OF j SKIP LOCKED),
    moved AS (
      UPDATE job j SET aged_from = coalesce(j.aged_from, j.priority), priority = 1, generation = j.generation + 1,
        dispatched_at = NULL, claimed_until = ${claim}
      FROM chosen WHERE j.id = chosen.id
      RETURNING j.run_at, ${dispatchColumns('j')})
    SELECT * FROM moved ORDER BY run_at`,
};

/** Raises the oldest jobs that are due for longer than `ms`; returns what must go to the engine again, oldest first. */
export async function raiseAged(db: Db, queues: readonly string[], ms: number): Promise<Dispatch[]> {
  return (await db.run<DispatchRow>(raiseRows, [queues, ms])).map(toDispatch);
}
