// Bringing back what the engine has forgotten: jobs that were given to it, have not begun, and are not in it. The only place
// that compares the two. Each gets a new generation in one statement that asks for the old one, so two of these at once, a
// delivery that begins meanwhile, and one that comes late do no harm. Running jobs have a lease and are left alone.
import { engineId, type Broker, type Held } from '../engine/types.ts';
import { crashesToLane, quarantineQueue } from '../queues/quarantine.ts';
import type { Db } from './db.ts';
import type { Dispatch } from './insert.ts';
import { inLockOrder } from './lock-order.ts';
import { sqlStates, startableStates } from './moves.ts';
import type { Relay } from './relay.ts';
import { dispatchColumns, toDispatch, type DispatchRow } from './waiters.ts';

/** A job that waits in the engine, as the ledger knows it. */
export interface Dispatched {
  id: string;
  generation: number;
  /** The engine's. */
  queue: string;
  state: (typeof startableStates)[number];
  /** Text, because a Date would lose the microseconds that the order of the pages is made of. */
  run_at: string;
}

export interface WalkOptions {
  queues: readonly string[];
  /** Rows a page. */
  size: number;
  /** Only jobs that were given to the engine and due for longer than this, in ms. */
  dueForMs?: number;
  /** Nothing but these queues: without the lane's jobs, which every other walk takes along. */
  only?: true;
}

export interface Walk {
  /** The next page, of one queue and state; empty at the end, after which it begins anew. */
  next: () => Promise<Dispatched[]>;
}

// By the index of open jobs: (state, queue, run_at). A queue of a million jobs is read page by page and nothing is sorted; hence
// `job.run_at`: plain `run_at` in ORDER BY is the text.
const readPage = {
  name: 'recover_page',
  text: pageOf(`queue = $2 AND crashes < ${crashesToLane}`),
};
/** The quarantine lane takes jobs of all queues. */
const readLanePage = {
  name: 'recover_lane_page',
  text: pageOf(`$2 = '${quarantineQueue}' AND crashes >= ${crashesToLane}`),
};

function pageOf(place: string): string {
  return `SELECT id, generation, $2 AS queue, state, run_at::text AS run_at FROM job
    WHERE state = $1::job_state AND state IN (${sqlStates(startableStates)}) AND ${place} AND dispatched_at IS NOT NULL
      AND run_at >= $3::timestamptz AND (run_at, id) > ($3::timestamptz, $4::uuid)
      AND run_at < coalesce(statement_timestamp() - $5::float8 * interval '1 ms', 'infinity')
      AND ($5 IS NULL OR dispatched_at < statement_timestamp() - $5 * interval '1 ms')
    ORDER BY job.run_at, job.id LIMIT $6`;
}

// Claimed for as long as the caller may need to carry it; should it die, the sweep does that.
const nextGeneration = {
  name: 'recover_again',
  text: `UPDATE job j SET generation = j.generation + 1, dispatched_at = NULL, claimed_until = clock_timestamp() + interval '10 s'
    FROM unnest($1::uuid[], $2::int[]) AS d(id, generation)
    WHERE j.id = d.id AND j.generation = d.generation AND j.state IN (${sqlStates(startableStates)})
    RETURNING ${dispatchColumns('j')}`,
};

const start = { run_at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

// One look where there is anything at all: most queues have jobs of one or two states.
const readPlaces = {
  name: 'recover_places',
  text: `SELECT q.queue, s.state FROM unnest($1::text[]) AS q(queue), unnest(ARRAY[${sqlStates(startableStates)}]) AS s(state), LATERAL (
      SELECT FROM job j WHERE j.state = s.state AND j.state IN (${sqlStates(startableStates)}) AND j.queue = q.queue ORDER BY j.run_at LIMIT 1) AS any_job
    UNION ALL
    SELECT DISTINCT '${quarantineQueue}', state FROM job
    WHERE $2 AND crashes >= ${crashesToLane} AND state IN (${sqlStates(startableStates)})
    ORDER BY queue, state`,
};

/** Walks all jobs that wait in the engine, earliest due first in each queue and state. */
export function walkDispatched(db: Db, { queues, size, dueForMs, only }: WalkOptions): Walk {
  const lane = only === undefined || queues.includes(quarantineQueue);
  let places: Pick<Dispatched, 'queue' | 'state'>[] | undefined;
  let after = start;
  return {
    async next() {
      places ??= await db.run<Pick<Dispatched, 'queue' | 'state'>>(readPlaces, [queues, lane]);
      for (let [place] = places; place !== undefined; places.shift(), [place] = places, after = start) {
        const { queue, state } = place;
        const values = [state, queue, after.run_at, after.id, dueForMs ?? null, size];
        const page = await db.run<Dispatched>(queue === quarantineQueue ? readLanePage : readPage, values);
        after = page.at(-1) ?? after;
        if (page.length > 0) return page;
      }
      places = undefined;
      return [];
    },
  };
}

/** Those of one page that the engine does not hold in one of these ways. */
export async function forgottenOf(
  broker: Pick<Broker, 'held'>,
  page: readonly Dispatched[],
  { ways, spare }: Pick<Look, 'ways' | 'spare'>,
): Promise<Dispatched[]> {
  const [first] = page;
  if (first === undefined) return [];
  const idOf = ({ id, generation }: Dispatched): string => engineId({ jobId: id, generation });
  const held = await broker.held(first.queue, page.map(idOf));
  return page.filter((row) => {
    const way = held.get(idOf(row));
    if (way === undefined) return true;
    return !ways.includes(way) && spare?.(row) !== true;
  });
}

export interface Look {
  rows: number;
  /** The end also while the engine has lost every one: what else the caller has to do must not wait for all of them. */
  atMost?: number;
  /** Ways of being held by the engine that are good enough. */
  ways: readonly Held[];
  /** One that is held in another way is passed over this time when this says so. */
  spare?: (row: Dispatched) => boolean;
}

export interface RecoverContext {
  db: Db;
  broker: Pick<Broker, 'held'>;
  relay: Pick<Relay, 'carry'>;
}

/**
 * Goes on with a walk: compares some `rows`, and more for as long as the engine has lost every one it is asked for. Returns how
 * many were brought back.
 */
export async function recoverSome(
  { db, broker, relay }: RecoverContext,
  walk: Walk,
  look: Look,
): Promise<number> {
  let total = 0;
  let seen = 0;
  for (let left = look.rows; left > 0 && seen < (look.atMost ?? Infinity);) {
    const page = await walk.next();
    if (page.length === 0) break;
    seen += page.length;
    const forgotten = await forgottenOf(broker, page, look);
    total += await bringBack(db, relay, forgotten);
    if (forgotten.length < page.length) left -= page.length;
  }
  return total;
}

/**
 * Gives those that are still as they are shown here a new generation, and them to the engine. Returns how many it took: one that
 * is away or full gets the others later, from the sweep.
 */
export async function bringBack(
  db: Db,
  relay: Pick<Relay, 'carry'>,
  rows: readonly Pick<Dispatched, 'id' | 'generation'>[],
): Promise<number> {
  const dispatches = await redispatch(db, rows);
  return dispatches.length === 0 ? 0 : relay.carry(dispatches);
}

const readStill = {
  name: 'recover_still',
  text: `SELECT j.id FROM unnest($1::uuid[], $2::int[]) AS d(id, generation) JOIN job j ON j.id = d.id
    WHERE j.generation = d.generation AND j.state IN (${sqlStates(startableStates)}) AND j.dispatched_at IS NOT NULL`,
};

/** Without those that have begun or moved on since they were read: the engine was asked after the ledger. */
export async function stillForgotten(db: Db, forgotten: readonly Dispatched[]): Promise<Dispatched[]> {
  if (forgotten.length === 0) return [];
  const values = [forgotten.map(({ id }) => id), forgotten.map(({ generation }) => generation)];
  const still = new Set((await db.run<{ id: string }>(readStill, values)).map(({ id }) => id));
  return forgotten.filter(({ id }) => still.has(id));
}

/** A new generation for each job that still has this one and has not begun; the caller carries them. */
export async function redispatch(
  db: Db,
  forgotten: readonly Pick<Dispatched, 'id' | 'generation'>[],
): Promise<Dispatch[]> {
  if (forgotten.length === 0) return [];
  const rows = inLockOrder(forgotten, ({ id }) => id);
  const values = [rows.map((row) => row.id), rows.map((row) => row.generation)];
  return (await db.run<DispatchRow>(nextGeneration, values)).map(toDispatch);
}
