// Connections to the engine, on Redis or on PostgreSQL. Nothing of BullMQ is built before the server has answered:
// a Worker made while PostgreSQL is down never recovers, and a Queue made while Redis is down hangs.
import { createPostgresBackend, withBackend } from 'bullmq';
import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import { Pool, type QueryConfig } from 'pg';
import { sessionOf } from '../shared/addresses.ts';
import { toError } from '../shared/errors.ts';
import { parseRedisUrl } from '../shared/redis-address.ts';
import { connectRedis, kindOf, type RedisClient } from './redis.ts';
import type { EngineData, EngineKind } from './types.ts';

export interface EngineOptions {
  databaseUrl: string;
  /** Moves the engine to Redis. */
  redisUrl: string | undefined;
  /** Workers that will listen in this process: each holds one PostgreSQL connection. */
  workers: number;
}

/** What our own keys and rows beside BullMQ's are read and written through. */
export type Store = { kind: 'postgres'; pool: Pool } | { kind: 'redis'; client: RedisClient };

/** A live connection and what can be built on it. */
export interface Link {
  kind: EngineKind;
  queue: (name: string) => Queue;
  worker: (
    name: string,
    processor: Processor<EngineData>,
    options: Omit<WorkerOptions, 'connection'>,
  ) => Worker;
  /** A round trip on each connection in use. */
  ping: () => Promise<void>;
  /** The connection itself, for what BullMQ has no word for. */
  store: Store;
  /** Told each time the connection is there again after it was lost; where that cannot be seen, never. */
  onReturn: (listener: () => void) => void;
  close: () => Promise<void>;
}

const schema = 'bullmq';

export interface Engine {
  readonly kind: EngineKind;
  /** Resolves when the engine has answered once; rejects only when closed before that. */
  ready: Promise<Link>;
  /** Why it could not be reached at the last try; undefined once it has answered. */
  problem: () => string | undefined;
  close: () => Promise<void>;
}

/** Starts connecting in the background: the caller goes on and asks for the link when it needs it. */
export function openEngine(options: EngineOptions): Engine {
  const stop = new AbortController();
  let problem: string | undefined;
  const ready = connect(options, stop.signal, (message) => (problem = message));
  ready.catch(() => undefined); // rejects only when closed before the engine ever answered
  const address = options.redisUrl === undefined ? undefined : parseRedisUrl(options.redisUrl);
  return {
    kind: address === undefined ? 'postgres' : kindOf(address),
    ready,
    problem: () => problem,
    async close() {
      stop.abort();
      const link = await ready.catch(() => undefined);
      await link?.close();
    },
  };
}

/** Retries until the engine answers or `signal` aborts. */
async function connect(
  options: EngineOptions,
  signal: AbortSignal,
  onProblem: (message: string | undefined) => void,
): Promise<Link> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const link = await (options.redisUrl === undefined
        ? connectPostgres(options)
        : connectRedis(options.redisUrl));
      onProblem(undefined);
      return link;
    } catch (thrown) {
      onProblem(toError(thrown).message);
      // Half of it by chance: twenty processes that start together must not knock together.
      await pause(Math.min(250 * 2 ** attempt, 2_000) * (0.5 + Math.random() * 0.5), signal);
    }
  }
}

async function connectPostgres(options: EngineOptions): Promise<Link> {
  const pool = new Pool({
    ...sessionOf(options.databaseUrl, `-c search_path=${schema},public -c timezone=UTC`),
    max: options.workers + 10,
    keepAlive: true, // BullMQ believes that a lost connection is noticed by it, and waits up to an hour on one
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 2_000,
    query_timeout: 10_000, // a half-open connection would hold its query for ever
    application_name: 'storytime-engine',
  });
  pool.setMaxListeners(0); // a few for each queue and worker
  pool.on('error', () => undefined); // reported by the next query
  // BullMQ does not listen to the client with which it looks at its tables: one that breaks then would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    await pool.query(`SELECT 1 FROM ${schema}.job LIMIT 1`);
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  const bound = withBackend(createPostgresBackend);
  return {
    kind: 'postgres',
    queue: (name) =>
      leaving(pool, () => new bound.Queue(name, { connection: pool as never }) as unknown as Queue),
    worker: (name, processor, given) =>
      leaving(
        pool,
        () => new bound.Worker(name, processor, { ...given, connection: pool } as never) as unknown as Worker,
      ),
    async ping() {
      await pool.query({ text: 'SELECT 1', query_timeout: 2_000 } as QueryConfig);
    },
    store: { kind: 'postgres', pool },
    onReturn: () => undefined,
    close: () => pool.end(),
  };
}

/** BullMQ never takes the listeners off that it adds to a pool it did not make, and each keeps its Queue or Worker in memory. */
function leaving<Made extends Queue | Worker>(pool: Pool, make: () => Made): Made {
  const before = new Set(pool.listeners('error'));
  const made = make();
  const added = pool.listeners('error').filter((listener) => !before.has(listener));
  const close = made.close.bind(made);
  made.close = (force?: boolean) => {
    for (const listener of added) pool.off('error', listener as () => void);
    return close(force);
  };
  return made;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, signal.aborted ? 0 : ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
