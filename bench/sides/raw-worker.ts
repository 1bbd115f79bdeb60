// No-op jobs through a raw BullMQ Worker: what a user would write, with the same retention as ours.
import { Queue, Worker, createPostgresBackend, withBackend, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { retention } from '../../engine/broker.ts';
import { measured } from '../measure.ts';
import { payload, type Side, type SideContext, type SideResult } from './types.ts';

interface Raw {
  queue: Queue;
  worker: (processor: () => Promise<object>, options: Omit<WorkerOptions, 'connection'>) => Worker;
  close: () => Promise<void>;
}

function onRedis(context: SideContext): Raw {
  const connection = new Redis(context.redisUrl, { maxRetriesPerRequest: null });
  const prefix = '{raw}';
  return {
    queue: new Queue('raw', { connection, prefix }),
    worker: (processor, options) => new Worker('raw', processor, { ...options, connection, prefix }),
    async close() {
      connection.disconnect();
      return Promise.resolve();
    },
  };
}

function onPostgres(context: SideContext): Raw {
  const pool = new Pool({
    connectionString: context.databaseUrl,
    max: 15,
    options: '-c search_path=bullmq,public',
  });
  const bound = withBackend(createPostgresBackend);
  return {
    queue: new bound.Queue('raw', { connection: pool as never }) as unknown as Queue,
    worker(processor, options) {
      const given: object = { ...options, connection: pool };
      const worker: unknown = new bound.Worker('raw', processor, given as never);
      return worker as Worker;
    },
    close: () => pool.end(),
  };
}

async function run(raw: Raw, count: number, inFlight: number): Promise<SideResult> {
  for (let added = 0; added < count; added += 500) {
    await raw.queue.addBulk(
      Array.from({ length: 500 }, () => ({ name: 'noop', data: payload, opts: { priority: 5 } })),
    );
  }
  let worker: Worker | undefined;
  const result = await measured(count, (ended) => {
    worker = raw.worker(async () => Promise.resolve({}), { concurrency: inFlight, ...retention });
    worker.on('completed', ended);
  });
  await worker?.close();
  return result;
}

async function side(raw: Raw, context: SideContext): Promise<SideResult> {
  await run(raw, context.warmUp, context.inFlight);
  const result = await run(raw, context.jobs, context.inFlight);
  await raw.queue.close();
  await raw.close();
  return result;
}

export const rawOnRedis: Side = (context) => side(onRedis(context), context);
export const rawOnPostgres: Side = (context) => side(onPostgres(context), context);
