// Connections to the engine, on Redis or on PostgreSQL. Nothing of BullMQ is built before the server has answered:
// a Worker made while PostgreSQL is down never recovers, and a Queue made while Redis is down hangs.
import { Queue, Worker, createPostgresBackend, withBackend } from 'bullmq';
import type { Processor, QueueOptions, WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import type { EngineData } from './types.ts';

export interface EngineOptions {
  databaseUrl: string;
  /** Moves the engine to Redis. */
  redisUrl: string | undefined;
  /** Workers that will listen in this process: each holds one PostgreSQL connection. */
  workers: number;
  emit: Emit;
}

/** What our own keys and rows beside BullMQ's are read and written through. */
export type Store = { kind: 'postgres'; pool: Pool } | { kind: 'redis'; client: Redis };

/** A live connection and what can be built on it. */
export interface Link {
  kind: 'postgres' | 'redis';
  queue: (name: string) => Queue;
  worker: (
    name: string,
    processor: Processor<EngineData>,
    options: Omit<WorkerOptions, 'connection'>,
  ) => Worker;
  ping: () => Promise<void>;
  /** The connection itself, for what BullMQ has no word for. */
  store: Store;
  /** Told each time the connection is there again after it was lost; where that cannot be seen, never. */
  onReturn: (listener: () => void) => void;
  close: () => Promise<void>;
}

/** On Redis all keys share one hash slot, as Redis Cluster demands of scripts that touch several queues. */
export const prefix = '{storytime}';
const schema = 'bullmq';

export interface Engine {
  readonly kind: 'postgres' | 'redis';
  /** Resolves when the engine has answered once; rejects only when closed before that. */
  ready: Promise<Link>;
  close: () => Promise<void>;
}

/** Starts connecting in the background: the caller goes on and asks for the link when it needs it. */
export function openEngine(options: EngineOptions): Engine {
  const stop = new AbortController();
  const kind = options.redisUrl === undefined ? 'postgres' : 'redis';
  const ready = connect(kind, options, stop.signal);
  ready.catch(() => undefined); // rejects only when closed before the engine ever answered
  return {
    kind,
    ready,
    async close() {
      stop.abort();
      const link = await ready.catch(() => undefined);
      await link?.close();
    },
  };
}

/** Retries until the engine answers or `signal` aborts. */
async function connect(kind: Engine['kind'], options: EngineOptions, signal: AbortSignal): Promise<Link> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const link = await (options.redisUrl === undefined
        ? connectPostgres(options)
        : connectRedis(options.redisUrl, options.emit));
      options.emit('engine.changed', { name: kind, ready: true });
      return link;
    } catch (thrown) {
      const message = toError(thrown).message;
      if (attempt === 0 || attempt % 10 === 9)
        options.emit('engine.changed', { name: kind, ready: false, message });
      await pause(Math.min(250 * 2 ** attempt, 3_000) * (1 + Math.random() * 0.2), signal);
    }
  }
}

async function connectPostgres(options: EngineOptions): Promise<Link> {
  const pool = new Pool({
    connectionString: options.databaseUrl,
    options: `-c search_path=${schema},public -c timezone=UTC`,
    max: options.workers + 10,
    keepAlive: true,
    connectionTimeoutMillis: 2_000,
    application_name: 'storytime-engine',
  });
  pool.setMaxListeners(0); // BullMQ never removes the listeners it adds to a pool it did not make
  pool.on('error', () => undefined); // reported by the next query
  try {
    await pool.query(`SELECT 1 FROM ${schema}.job LIMIT 1`);
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  const bound = withBackend(createPostgresBackend);
  return {
    kind: 'postgres',
    queue: (name) => new bound.Queue(name, { connection: pool as never }) as unknown as Queue,
    worker: (name, processor, given) =>
      new bound.Worker(name, processor, { ...given, connection: pool } as never) as unknown as Worker,
    async ping() {
      await pool.query('SELECT 1');
    },
    store: { kind: 'postgres', pool },
    onReturn: () => undefined,
    close: () => pool.end(),
  };
}

async function connectRedis(url: string, emit: Emit): Promise<Link> {
  const producer = redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  try {
    await producer.connect();
    await producer.ping();
  } catch (thrown) {
    producer.disconnect();
    throw thrown;
  }
  let away = false; // `close` comes with every failed reconnect: only changes are news
  const tell = (ready: boolean): void => {
    if (away !== ready) return;
    away = !ready;
    emit('engine.changed', { name: 'redis', ready });
  };
  producer.on('close', () => tell(false));
  producer.on('ready', () => tell(true));
  let consumer: Redis | undefined; // made with the first worker: an API process needs none
  const shared: Pick<QueueOptions, 'prefix'> = { prefix };
  return {
    kind: 'redis',
    queue: (name) => new Queue(name, { ...shared, connection: producer }),
    worker(name, processor, given) {
      consumer ??= redis(url, { maxRetriesPerRequest: null, lazyConnect: false });
      return new Worker(name, processor, { ...given, ...shared, connection: consumer });
    },
    async ping() {
      await producer.ping();
    },
    store: { kind: 'redis', client: producer },
    onReturn: (listener) => void producer.on('ready', listener),
    async close() {
      producer.disconnect();
      consumer?.disconnect();
      return Promise.resolve();
    },
  };
}

function redis(
  url: string,
  options: {
    enableOfflineQueue?: boolean;
    maxRetriesPerRequest: number | null;
    lazyConnect?: boolean;
  },
): Redis {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    disconnectTimeout: 250, // a timer that holds the process when the socket is gone already
    retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 5), 2_000),
    ...options,
  });
  client.setMaxListeners(1_000); // BullMQ adds to this number: to 0, which is no limit, it would make a low one
  client.on('error', () => undefined); // each command reports its own failure; `close` and `ready` tell the rest
  return client;
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
