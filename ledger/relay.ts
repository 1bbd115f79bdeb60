// The relay carries undispatched rows to the engine: the only caller of broker.add. Nudged right after each commit,
// swept by maintenance. An add that fails or takes too long leaves its rows unstamped, so the sweep brings them again;
// adding one twice is harmless, because the engine id is the job's id and generation.
import { createBatcher, type Settled } from '../shared/batcher.ts';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { reach } from '../shared/points.ts';
import { sanitiseText } from '../shared/text.ts';
import type { Broker, EngineJob } from '../engine/types.ts';
import type { Registry } from '../queues/registry.ts';
import { createLedgerClock, type LedgerClock } from './clock.ts';
import type { Db } from './db.ts';
import { isLedgerDown } from './ledger-errors.ts';
import type { Dispatch } from './insert.ts';
import { inLockOrder } from './lock-order.ts';
import { sqlStates, startableStates } from './moves.ts';
import { engineQueue, shownAttempt } from './waiters.ts';

export interface RelayOptions {
  db: Db;
  broker: Broker;
  registry: Registry;
  emit: Emit;
}

export interface Relay {
  /** Carries rows that were just committed; returns at once and never throws. */
  nudge: (rows: readonly Dispatch[]) => void;
  /** Carries rows that no nudge carried. Returns how many it claimed; rejects when the engine took none of them. */
  sweep: () => Promise<number>;
  /** Carries rows whose claim the caller has just taken. Returns how many the engine took; the sweep brings the others. */
  carry: (rows: readonly Dispatch[]) => Promise<number>;
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>;
}

const addTimeoutMs = 2_000;
/** As long as the claim of a row just committed. */
const nudgeLimitMs = 2_000;
const batchSize = 500;

// Not waited for either: a stamp lost in a crash means that the sweep adds the same engine id once more.
const stampRows = {
  name: 'relay_stamp',
  text: `WITH unhurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE job j SET dispatched_at = clock_timestamp(), claimed_until = NULL, dispatch_error = NULL
    FROM unnest($1::uuid[], $2::int[]) AS d(id, generation), unhurried
    WHERE j.id = d.id AND j.generation = d.generation AND j.dispatched_at IS NULL`,
};

const noteError = {
  name: 'relay_note',
  text: `UPDATE job SET dispatch_error = $2 WHERE id = $1 AND dispatched_at IS NULL`,
};

// Of its own queues only: those of a newer build are carried by that one, which has a leader of its own.
const unclaimed = `dispatched_at IS NULL AND claimed_until < statement_timestamp() AND queue = ANY($1::text[])`;

// The untold died with their process (ledger/rescue.ts), and have an index of their own. An hour back: an engine that was away for
// longer lists them no more.
const claimRows = {
  name: 'relay_claim',
  text: `WITH due AS (
      SELECT id FROM job WHERE ${unclaimed} AND state IN (${sqlStates(startableStates)})
      ORDER BY claimed_until LIMIT ${batchSize} FOR UPDATE SKIP LOCKED),
    untold AS (
      SELECT id FROM job WHERE ${unclaimed} AND state = 'dead' AND finished_at > statement_timestamp() - interval '1 hour'
      LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)
    UPDATE job j SET claimed_until = clock_timestamp() + interval '10 s'
    FROM (SELECT id FROM due UNION ALL SELECT id FROM untold) AS claimed WHERE j.id = claimed.id
    RETURNING j.id, j.generation, j.kind, ${engineQueue('j')} AS queue, j.priority, j.tenant, j.summary, ${shownAttempt('j')} AS attempt,
      greatest(0, extract(epoch FROM j.run_at - clock_timestamp()) * 1000)::float8 AS delay_ms`,
};

interface Nudged {
  row: Dispatch;
  /** performance.now() of the nudge. */
  at: number;
}

type ClaimedRow = Omit<Dispatch, 'delayMs'> & { delay_ms: number };

interface Carrier extends RelayOptions {
  clock: LedgerClock;
}

/** A row with the ledger's time at which its delay was counted, when it has a delay. */
type Timed = Dispatch & { countedAtMs?: number };

async function withTime(clock: LedgerClock, rows: readonly Dispatch[]): Promise<readonly Timed[]> {
  if (!rows.some(({ delayMs }) => delayMs > 0)) return rows;
  const countedAtMs = await clock.now();
  return rows.map((row) => (row.delayMs > 0 ? { ...row, countedAtMs } : row));
}

export function createRelay(given: RelayOptions): Relay {
  const queues = given.registry.queues.map(({ name }) => name);
  const options: Carrier = { ...given, clock: createLedgerClock(given.db) };
  given.broker.onPressure((pressure) => given.emit('engine.pressure', pressure));
  const batcher = createBatcher<Nudged, void>({
    max: batchSize,
    run: async (nudged) => {
      // Behind a slow engine: the sweep may have claimed these by now, and their delays count from then.
      const fresh = nudged.filter(({ at }) => performance.now() - at < nudgeLimitMs);
      await carry(
        options,
        fresh.map(({ row }) => row),
      );
      return nudged.map((): Settled<void> => ({ value: undefined }));
    },
  });
  return {
    nudge(rows) {
      // While the engine is away or full there is nothing to hurry for: the rows are in the ledger and the sweep brings them.
      if (isHeld(options.broker)) return;
      const at = performance.now();
      for (const row of rows) batcher.add({ row, at }).catch(() => undefined);
    },
    async sweep() {
      if (isHeld(options.broker)) return 0;
      const rows = await options.db.run<ClaimedRow>(claimRows, [queues]);
      const carried = await carry(
        options,
        rows.map(({ delay_ms, ...row }) => ({ ...row, delayMs: delay_ms })),
      );
      // Going on would claim, and so delay, the whole backlog of an engine that is away.
      if (rows.length > 0 && carried === 0)
        throw new Error('relay failed: the engine took no job; the next sweep tries again');
      return rows.length;
    },
    carry: (rows) => carry(options, rows),
    idle: () => batcher.idle(),
  };
}

/** Nothing is added to an engine that is away, or short of memory: it would refuse to record that jobs have ended. */
function isHeld(broker: Broker): boolean {
  return !broker.ready || broker.pressure.holdsAdds;
}

/** Returns how many rows the engine took. */
async function carry(options: Carrier, dispatches: readonly Dispatch[]): Promise<number> {
  if (isHeld(options.broker)) return 0;
  const byQueue = new Map<string, Timed[]>();
  for (const row of await withTime(options.clock, dispatches))
    byQueue.set(row.queue, [...(byQueue.get(row.queue) ?? []), row]);
  const counts = await Promise.all([...byQueue].map(([queue, group]) => carryQueue(options, queue, group)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function carryQueue(options: Carrier, queue: string, rows: readonly Timed[]): Promise<number> {
  const jobs = rows.map((row) => toEngineJob(options.registry, row));
  try {
    await withTimeout(options.broker.add(queue, jobs));
    for (const { id, kind } of rows) reach('dispatch.added', id, kind);
    await stamp(options.db, rows);
    return rows.length;
  } catch (thrown) {
    options.emit('relay.failed', { queue, count: rows.length, message: toError(thrown).message });
    if (isAway(thrown) || options.broker.kind !== 'postgres') return 0;
    // On PostgreSQL one bad row refuses a whole bulk: one by one, the others still get through.
    return carryOneByOne(options, queue, rows);
  }
}

async function carryOneByOne(options: Carrier, queue: string, rows: readonly Timed[]): Promise<number> {
  let carried = 0;
  for (const row of rows) {
    try {
      await withTimeout(options.broker.add(queue, [toEngineJob(options.registry, row)]));
      await stamp(options.db, [row]);
      carried += 1;
    } catch (thrown) {
      const { message } = toError(thrown);
      await options.db.run(noteError, [row.id, sanitiseText(message, 500)]).catch(() => undefined);
      if (isAway(thrown)) break;
    }
  }
  return carried;
}

/** Engine or ledger do not answer: no row's fault, so the sweep goes on later. */
function isAway(thrown: unknown): boolean {
  return toError(thrown).message.startsWith('engine ') || isLedgerDown(thrown);
}

async function stamp(db: Db, carried: readonly Dispatch[]): Promise<void> {
  const rows = inLockOrder(carried, ({ id }) => id);
  await db.run(stampRows, [rows.map((row) => row.id), rows.map((row) => row.generation)]);
}

function toEngineJob(registry: Registry, row: Timed): EngineJob {
  const attempts = registry.find(row.kind)?.retry.attempts ?? 1;
  const { id: jobId, generation, tenant, summary } = row;
  return {
    kind: row.kind,
    priority: row.priority,
    delayMs: row.delayMs,
    ...(row.countedAtMs !== undefined && { countedAtMs: row.countedAtMs }),
    data: { jobId, generation, attempt: `${row.attempt}/${attempts}`, tenant, summary },
  };
}

/** A late add may still land: that is why it counts as unknown, stays unstamped and is added again under the same id. */
async function withTimeout(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`engine add took more than ${addTimeoutMs} ms`)), addTimeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
