// A whole house in one process, on a real database and a real engine: ledger, relay, hosts, maintenance, short timers.
// Tests bring their own queues, so a promise is tested without a provider where none is needed.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { newId } from '../../shared/ids.ts';
import { createEvents, type EventName, type Events } from '../../shared/events.ts';
import { openEngine } from '../../engine/connect.ts';
import { createBroker } from '../../engine/broker.ts';
import type { Broker } from '../../engine/types.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { createEnqueue, type Enqueue } from '../../ledger/enqueue.ts';
import type { Enqueued } from '../../ledger/enqueue-batch.ts';
import { newJob } from '../../ledger/insert.ts';
import { createRelay, type Relay } from '../../ledger/relay.ts';
import { checkJob } from '../../queues/check.ts';
import { defineQueue } from '../../queues/define.ts';
import { createRegistry, type Registry } from '../../queues/registry.ts';
import type { Handler, Services, WorkerDefinition } from '../../workers/define.ts';
import type { Lane } from '../../workers/quarantine.ts';
import { startWork, type Work, type WorkOptions } from '../../workers/work.ts';

/** One queue with one kind whose payload and result are any JSON. */
export const playQueue = defineQueue({
  name: 'play',
  concurrency: 20,
  timeoutMs: 20_000,
  retry: { attempts: 3, backoff: 'fixed', delayMs: 20 },
  jobs: {
    play: { payload: z.looseObject({}), result: z.unknown(), replay: 'safe', summary: () => 'play' },
    rest: { payload: z.looseObject({}), result: z.unknown(), replay: 'safe' },
  },
});

const timers = {
  STORYTIME_LEASE_MS: 2_000,
  STORYTIME_RENEW_MS: 400,
  STORYTIME_SWEEP_MS: 300,
  STORYTIME_RECONCILE_MS: 500,
  STORYTIME_AGEING_MS: 600_000,
  STORYTIME_GRACE_MS: 3_000,
  STORYTIME_CONCURRENCY_SCALE: 1,
};

export interface HouseOptions {
  databaseUrl: string;
  redisUrl?: string | undefined;
  handlers?: Readonly<Record<string, Handler<never>>>;
  registry?: Registry;
  timers?: Partial<typeof timers>;
  /** Queues whose jobs it runs; default all. */
  queues?: readonly string[];
  /** Without it the house only enqueues. */
  work?: boolean;
  /** What a work process is given otherwise. */
  change?: Partial<WorkOptions>;
}

export interface House {
  db: Db;
  broker: Broker;
  relay: Relay;
  enqueue: (
    kind: string,
    payload: unknown,
    options?: { key?: string; options?: object; hash?: string },
  ) => Promise<Enqueued>;
  rawEnqueue: Enqueue;
  work: Work | undefined;
  /** Everything that was emitted, by name. */
  seen: <Name extends EventName>(name: Name) => Events[Name][];
  /** Waits until the job's row satisfies `test`; fails after 20 s with the row. */
  until: (id: string, test: (row: JobRow) => boolean) => Promise<JobRow>;
  close: () => Promise<void>;
}

export type JobRow = Awaited<ReturnType<typeof readRow>>;

export async function openHouse(options: HouseOptions): Promise<House> {
  const events = createEvents();
  const log = new Map<EventName, unknown[]>();
  const emit: typeof events.emit = (name, event) => {
    log.set(name, [...(log.get(name) ?? []), event]);
    events.emit(name, event);
  };
  const registry = options.registry ?? createRegistry([playQueue]);
  const db = openDb({ url: options.databaseUrl, poolSize: 8, statementTimeoutMs: 5_000, emit });
  const engine = openEngine({
    databaseUrl: options.databaseUrl,
    redisUrl: options.redisUrl,
    workers: registry.queues.length,
  });
  const broker = createBroker(
    engine,
    registry.queues.map((queue) => queue.name),
  );
  const relay = createRelay({ db, broker, registry, emit });
  const rawEnqueue = createEnqueue({ db, emit, onCommitted: relay.nudge });
  const workOptions = {
    config: { ...timers, ...options.timers },
    db,
    engine,
    broker,
    relay,
    registry,
    emit,
    workers: workersOf(registry, options.handlers ?? {}),
    services: {
      db,
      artifactLink: (id: string) => Promise.resolve(`http://127.0.0.1/${id}`),
    } as unknown as Services,
    version: 'test',
    ...(options.queues !== undefined && { queues: options.queues }),
    ...options.change,
  };
  const work =
    options.work === false
      ? undefined
      : await startWork({ ...workOptions, openLane: () => laneInside(workOptions) });
  return {
    db,
    broker,
    relay,
    rawEnqueue,
    work,
    enqueue: (kind, payload, given = {}) =>
      rawEnqueue({
        job: newJob(checkJob(registry, { kind, payload, options: given.options }, Date.now()), {
          tenant: 'test',
          source: 'api',
        }),
        key:
          given.key === undefined
            ? undefined
            : { endpoint: 'test', value: given.key, bodyHash: Buffer.from(given.hash ?? 'body') },
      }),
    seen: (name) => (log.get(name) ?? []) as never,
    until: (id, test) => until(db, id, test),
    async close() {
      await work?.stop();
      await relay.idle();
      await broker.close();
      await engine.close();
      await db.close();
    },
  };
}

/** The quarantine lane in this process: here no job kills it. */
function laneInside(options: WorkOptions): Lane {
  let lane: Promise<Work> | undefined;
  return {
    ensure(wanted) {
      if (wanted) lane ??= startWork({ ...options, laneAs: newId() });
    },
    stop: async () => (await lane)?.stop(),
  };
}

function workersOf(
  registry: Registry,
  handlers: Readonly<Record<string, Handler<never>>>,
): WorkerDefinition[] {
  return registry.queues.map((queue) => ({
    queue,
    handlers: handlers as unknown as Record<string, Handler>,
    typed: undefined,
  }));
}

async function readRow(db: Db, id: string) {
  return db.prisma.job.findUniqueOrThrow({ where: { id } });
}

async function until(db: Db, id: string, test: (row: JobRow) => boolean): Promise<JobRow> {
  const end = performance.now() + 20_000;
  for (;;) {
    const row = await readRow(db, id);
    if (test(row)) return row;
    if (performance.now() > end)
      throw new Error(
        `job ${id} did not get there in 20 s: ${JSON.stringify({ ...row, payload: undefined })}`,
      );
    await delay(20);
  }
}

/** Waits for a condition that no row tells of. A question that fails is put again: on a loaded machine a connection may take too long. */
export async function eventually(
  what: string,
  test: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await test()) return;
    } catch (thrown) {
      cause = thrown;
    }
    if (performance.now() > end) throw new Error(`did not happen in ${limitMs} ms: ${what}`, { cause });
    await delay(20);
  }
}
