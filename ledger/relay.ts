// The relay carries undispatched rows to the engine: the only caller of broker.add. Nudged right after each commit,
// swept by maintenance. An add that fails or takes too long leaves its rows unstamped, so the sweep brings them again;
// adding one twice is harmless, because the engine id is the job's id and generation.
import { createBatcher, type Settled } from '../shared/batcher.ts';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { sanitiseText } from '../shared/text.ts';
import type { Broker, EngineJob } from '../engine/types.ts';
import type { Registry } from '../queues/registry.ts';
import type { Db } from './db.ts';
import type { Dispatch } from './insert.ts';
import { sqlStates, startableStates } from './moves.ts';

export interface RelayOptions {
  db: Db;
  broker: Broker;
  registry: Registry;
  emit: Emit;
}

export interface Relay {
  /** Carries rows that were just committed; returns at once and never throws. */
  nudge: (rows: readonly Dispatch[]) => void;
  /** Carries rows that no nudge carried. Returns how many it claimed. */
  sweep: () => Promise<number>;
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>;
}

const addTimeoutMs = 2_000;
const batchSize = 500;

const stampRows = {
  name: 'relay_stamp',
  text: `UPDATE job j SET dispatched_at = clock_timestamp(), claimed_until = NULL, dispatch_error = NULL
    FROM unnest($1::uuid[], $2::int[]) AS d(id, generation)
    WHERE j.id = d.id AND j.generation = d.generation AND j.dispatched_at IS NULL`,
};

const noteError = {
  name: 'relay_note',
  text: `UPDATE job SET dispatch_error = $2 WHERE id = $1 AND dispatched_at IS NULL`,
};

const claimRows = {
  name: 'relay_claim',
  text: `WITH due AS (
      SELECT id FROM job
      WHERE dispatched_at IS NULL AND state IN (${sqlStates(startableStates)}) AND claimed_until < clock_timestamp()
      ORDER BY claimed_until LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)
    UPDATE job j SET claimed_until = clock_timestamp() + interval '10 s' FROM due WHERE j.id = due.id
    RETURNING j.id, j.generation, j.kind, j.queue, j.priority, j.tenant, j.summary, j.failures + 1 AS attempt,
      greatest(0, extract(epoch FROM j.run_at - clock_timestamp()) * 1000)::float8 AS delay_ms`,
};

type ClaimedRow = Omit<Dispatch, 'delayMs'> & { delay_ms: number };

export function createRelay(options: RelayOptions): Relay {
  const batcher = createBatcher<Dispatch, void>({
    max: batchSize,
    run: async (rows) => {
      await carry(options, rows);
      return rows.map((): Settled<void> => ({ value: undefined }));
    },
  });
  return {
    nudge(rows) {
      // While the engine is away there is nothing to hurry for: the rows are in the ledger and the sweep brings them.
      if (!options.broker.ready) return;
      for (const row of rows) batcher.add(row).catch(() => undefined);
    },
    async sweep() {
      if (!options.broker.ready) return 0;
      const rows = await options.db.run<ClaimedRow>(claimRows, []);
      await carry(
        options,
        rows.map(({ delay_ms, ...row }) => ({ ...row, delayMs: delay_ms })),
      );
      return rows.length;
    },
    idle: () => batcher.idle(),
  };
}

async function carry(options: RelayOptions, rows: readonly Dispatch[]): Promise<void> {
  const byQueue = new Map<string, Dispatch[]>();
  for (const row of rows) byQueue.set(row.queue, [...(byQueue.get(row.queue) ?? []), row]);
  await Promise.all([...byQueue].map(([queue, group]) => carryQueue(options, queue, group)));
}

async function carryQueue(options: RelayOptions, queue: string, rows: readonly Dispatch[]): Promise<void> {
  const jobs = rows.map((row) => toEngineJob(options.registry, row));
  try {
    await withTimeout(options.broker.add(queue, jobs));
    await stamp(options.db, rows);
  } catch (thrown) {
    options.emit('relay.failed', { queue, count: rows.length, message: toError(thrown).message });
    // On PostgreSQL one bad row refuses a whole bulk: one by one, the others still get through.
    if (rows.length > 1 && options.broker.kind === 'postgres') await carryOneByOne(options, queue, rows);
  }
}

async function carryOneByOne(options: RelayOptions, queue: string, rows: readonly Dispatch[]): Promise<void> {
  for (const row of rows) {
    try {
      await withTimeout(options.broker.add(queue, [toEngineJob(options.registry, row)]));
      await stamp(options.db, [row]);
    } catch (thrown) {
      const { message } = toError(thrown);
      await options.db.run(noteError, [row.id, sanitiseText(message, 500)]).catch(() => undefined);
      if (message.startsWith('engine failed') || message.startsWith('engine add took')) return; // it is away: the sweep goes on
    }
  }
}

async function stamp(db: Db, rows: readonly Dispatch[]): Promise<void> {
  await db.run(stampRows, [rows.map((row) => row.id), rows.map((row) => row.generation)]);
}

function toEngineJob(registry: Registry, row: Dispatch): EngineJob {
  const attempts = registry.kinds.get(row.kind)?.retry.attempts ?? 1;
  const { id: jobId, generation, tenant, summary } = row;
  return {
    kind: row.kind,
    priority: row.priority,
    delayMs: row.delayMs,
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
