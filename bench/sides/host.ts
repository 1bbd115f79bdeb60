// No-op jobs through our host: ledger begin and finish, an attempt row, metrics and the log line included.
import { createEvents } from '../../shared/events.ts';
import { createLog, logEvents } from '../../shared/log.ts';
import { createMetrics } from '../../shared/metrics.ts';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { openDb } from '../../ledger/db.ts';
import { createEnqueue, type Enqueue } from '../../ledger/enqueue.ts';
import { newJob } from '../../ledger/insert.ts';
import { createRelay } from '../../ledger/relay.ts';
import { checkJob } from '../../queues/check.ts';
import type { Services } from '../../workers/define.ts';
import { startWork, type Work } from '../../workers/work.ts';
import { measured } from '../measure.ts';
import { noopQueue, registry } from '../registry.ts';
import { payload, type Side, type SideContext, type SideResult } from './types.ts';

const timers = {
  STORYTIME_LEASE_MS: 15_000,
  STORYTIME_RENEW_MS: 5_000,
  STORYTIME_SWEEP_MS: 5_000,
  STORYTIME_RECONCILE_MS: 30_000,
  STORYTIME_AGEING_MS: 600_000,
  STORYTIME_GRACE_MS: 5_000,
  STORYTIME_CONCURRENCY_SCALE: 1,
};

const workers = [{ queue: noopQueue, handlers: { noop: async () => Promise.resolve({}) }, typed: undefined }];
// The handler uses no service.
const services = {} as Services;

async function run(context: SideContext, redisUrl: string | undefined, count: number): Promise<SideResult> {
  const events = createEvents();
  logEvents(events, createLog({ level: 'info', part: 'work' }));
  createMetrics(events, { version: 'bench' });
  const { emit } = events;
  const db = openDb({ url: context.databaseUrl, poolSize: 10, statementTimeoutMs: 10_000, emit });
  const engine = openEngine({ databaseUrl: context.databaseUrl, redisUrl, workers: 1 });
  const broker = createBroker(engine, ['bench']);
  await broker.boardQueues();
  const relay = createRelay({ db, broker, registry, emit });
  await fill(createEnqueue({ db, emit, onCommitted: relay.nudge, deadlineMs: 60_000 }), count);
  await relay.idle();
  let work: Work | undefined;
  const result = await measured(count, async (ended) => {
    events.on('attempt.ended', ended);
    work = await startWork({
      config: timers,
      db,
      engine,
      broker,
      relay,
      registry,
      workers,
      services,
      emit,
      version: 'bench',
    });
  });
  await work?.stop();
  await broker.close();
  await engine.close();
  await db.close();
  return result;
}

async function fill(enqueue: Enqueue, count: number): Promise<void> {
  for (let added = 0; added < count; added += 2_000) {
    const jobs = Array.from({ length: Math.min(2_000, count - added) }, () =>
      checkJob(registry, { kind: 'noop', payload }, Date.now()),
    );
    await Promise.all(
      jobs.map((job) => enqueue({ job: newJob(job, { tenant: 'bench', source: 'api' }), key: undefined })),
    );
  }
}

async function side(context: SideContext, redisUrl: string | undefined): Promise<SideResult> {
  await run(context, redisUrl, context.warmUp);
  return run(context, redisUrl, context.jobs);
}

export const hostOnRedis: Side = (context) => side(context, context.redisUrl);
export const hostOnPostgres: Side = (context) => side(context, undefined);
