// The engine on Redis: one server, Sentinel or Cluster. All keys share one hash slot, as Cluster demands of scripts that touch
// several queues: the price is that one master carries the load. Producers fail at once and workers wait: an add that
// hangs would land late, and a worker that gives up would never come back.
import { Queue, Worker, type QueueOptions } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import { parseRedisUrl, type RedisAddress } from '../shared/redis-address.ts';
import type { Link } from './connect.ts';
import { followOwner } from './redis-owner.ts';
import { connectReason, misfitOf } from './redis-reason.ts';
import { prefix } from './types.ts';

export type RedisClient = Redis | Cluster;

const probeKey = `${prefix}:probe`;

// A connection on which commands go out and nothing comes back is broken off after `socketTimeout` ms; BullMQ's workers wait
// up to 10 s for a job.
const producerWish = {
  maxRetriesPerRequest: 1,
  socketTimeout: 5_000,
  enableOfflineQueue: false,
  lazyConnect: true,
};
const consumerWish = {
  maxRetriesPerRequest: null,
  socketTimeout: 15_000,
  enableOfflineQueue: true,
  lazyConnect: false,
};

/** Longer than a failover takes: a command meets the new master instead of an error (measured: 30 of 30 adds lost without). */
const patience = { maxRedirections: 64, retryDelayOnFailover: 300, retryDelayOnClusterDown: 300 };

const retryStrategy = (times: number): number =>
  Math.min(100 * 2 ** Math.min(times, 5), 2_000) * (0.8 + Math.random() * 0.2);

export async function connectRedis(url: string): Promise<Link> {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error('REDIS_URL is no address of Redis');
  const producer = client(address, producerWish);
  try {
    await connectNow(producer);
    await refuseMisfit(address, producer);
    await producer.set(probeKey, '1', 'PX', 60_000);
  } catch (thrown) {
    producer.disconnect();
    throw connectReason(thrown, address);
  }
  let consumer: RedisClient | undefined; // made with the first worker: an API process needs none
  const shared: Pick<QueueOptions, 'prefix'> = { prefix };
  return {
    kind: kindOf(address),
    queue: (name) => new Queue(name, { ...shared, connection: producer }),
    worker(name, processor, given) {
      consumer ??= client(address, consumerWish);
      return new Worker(name, processor, { ...given, ...shared, connection: consumer });
    },
    async ping() {
      // A write, on the slot that carries everything: a replica, a full disk and a cluster without that slot refuse it.
      await producer.set(probeKey, '1', 'PX', 60_000);
      if (consumer === undefined) return;
      if (consumer.status !== 'ready') throw new Error(`the workers' connection is ${consumer.status}`);
      await consumer.exists(probeKey);
    },
    store: { kind: 'redis', client: producer },
    onReturn(listener) {
      producer.on('ready', listener);
      if (producer instanceof Cluster) followOwner(producer, listener);
    },
    close() {
      producer.disconnect();
      consumer?.disconnect();
      return Promise.resolve();
    },
  };
}

export function kindOf({ mode }: RedisAddress): 'redis' | 'redis-sentinel' | 'redis-cluster' {
  return mode === 'single' ? 'redis' : `redis-${mode}`;
}

interface Wish {
  /** Null: a command waits for its server for ever. */
  maxRetriesPerRequest: number | null;
  socketTimeout: number;
  /** Whether commands wait for a connection that is not there. */
  enableOfflineQueue: boolean;
  lazyConnect: boolean;
}

function client(address: RedisAddress, wish: Wish): RedisClient {
  const made = address.mode === 'cluster' ? clusterClient(address, wish) : plainClient(address, wish);
  made.setMaxListeners(1_000); // BullMQ adds to this number: to 0, which is no limit, it would make a low one
  made.on('error', () => undefined); // each command reports its own failure
  return made;
}

/** What every connection to a server has, also those to the nodes of a cluster. */
function connectionOptions({ tls, username, password }: RedisAddress) {
  return {
    connectTimeout: 2_000,
    disconnectTimeout: 250, // a timer that holds the process when the socket is gone already
    keepAlive: 10_000,
    ...(tls && { tls: {} }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

/** A server that became a replica keeps its connections: whoever has its place now answers to a new one. */
function reconnectOnError({ message }: Error): boolean {
  return message.startsWith('READONLY');
}

function plainClient(address: RedisAddress, wish: Wish): Redis {
  const common = { ...connectionOptions(address), ...wish, retryStrategy, reconnectOnError, db: address.db };
  const [first] = address.hosts;
  if (address.mode === 'single') return new Redis({ ...common, ...first });
  return new Redis({
    ...common,
    sentinels: [...address.hosts],
    name: address.master,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: 1_000, // one that stands still takes connections: the next one would never be asked
    enableTLSForSentinelMode: address.tls,
    ...(address.tls && { sentinelTLS: {} }),
    ...(address.sentinelPassword !== undefined && { sentinelPassword: address.sentinelPassword }),
  });
}

function clusterClient(address: RedisAddress, { enableOfflineQueue, lazyConnect, ...wish }: Wish): Cluster {
  return new Cluster([...address.hosts], {
    ...patience,
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: 5_000,
    // A certificate is for a name: looked up before, only the address would be left to compare it with.
    ...(address.tls && {
      dnsLookup: (host: string, done: (error: null, host: string) => void) => done(null, host),
    }),
    redisOptions: { ...connectionOptions(address), ...wish },
  });
}

/** A client that cannot connect tries for ever: the caller tries again itself, and says so each time. */
async function connectNow(producer: RedisClient): Promise<void> {
  let last: Error | undefined;
  const note = (error: Error): void => void (last = error);
  producer.on('error', note);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(last ?? new Error('no answer within 4 s')), 4_000);
  });
  const connecting = producer.connect();
  connecting.catch(() => undefined);
  try {
    await Promise.race([connecting, late]);
  } catch (thrown) {
    throw last ?? thrown; // what was told on the way says more than that nothing is left to try
  } finally {
    clearTimeout(timer);
    producer.off('error', note);
  }
}

async function refuseMisfit({ mode }: RedisAddress, producer: RedisClient): Promise<void> {
  if (mode === 'cluster') return;
  const misfit = misfitOf(await producer.info());
  if (misfit !== undefined) throw new Error(misfit);
}
