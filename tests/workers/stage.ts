// A host on a real ledger without an engine: a test enqueues a job and delivers it itself, as often and as late as it likes.
import type { Emit, EventName, Events } from '../../shared/events.ts';
import { newId } from '../../shared/ids.ts';
import type { Ending, EngineData } from '../../engine/types.ts';
import { createAttempts, type Attempts } from '../../ledger/attempts.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { createEnqueue } from '../../ledger/enqueue.ts';
import { newJob } from '../../ledger/insert.ts';
import { registerWorker } from '../../ledger/workers.ts';
import { checkJob } from '../../queues/check.ts';
import type { QueueDefinition } from '../../queues/define.ts';
import { createRegistry } from '../../queues/registry.ts';
import type { Handler, Services } from '../../workers/define.ts';
import { WorkerHost } from '../../workers/host.ts';
import { Running } from '../../workers/running.ts';
import { createDatabase } from '../support/database.ts';
import { playQueue, type JobRow } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

export interface Stage {
  /** Past the proxy. */
  db: Db;
  /** Between the host and its ledger. */
  proxy: TestProxy;
  attempts: Attempts;
  running: Running;
  leaving: AbortController;
  add: (payload?: object) => Promise<string>;
  /** Delivers the job's current generation, due or not, and gives how the engine's job would end. */
  deliver: (id: string) => Promise<Ending>;
  /** Delivers what somebody else put into the engine. */
  deliverRaw: (data: { jobId: unknown; generation: unknown }) => Promise<Ending>;
  row: (id: string) => Promise<JobRow>;
  outcomes: (id: string) => Promise<string[]>;
  seen: <Name extends EventName>(name: Name) => Events[Name][];
  close: () => Promise<void>;
}

export interface StageOptions {
  handler: Handler<never>;
  queue?: Partial<QueueDefinition>;
  leaseMs?: number;
  renewMs?: number;
  dayMicroUsd?: number;
  shutMs?: number;
}

export async function openStage({
  handler,
  queue = {},
  leaseMs = 2_000,
  renewMs = 50,
  dayMicroUsd,
  shutMs,
}: StageOptions): Promise<Stage> {
  const database = await createDatabase();
  const proxy = await startProxy(database.url);
  const { emit, seen } = record();
  const db = openDb({ url: database.url, poolSize: 4, statementTimeoutMs: 5_000, emit });
  const own = openDb({ url: proxy.url, poolSize: 4, statementTimeoutMs: 500, emit });
  const registry = createRegistry([{ ...playQueue, ...queue }]);
  const workerId = newId();
  await registerWorker(db, { id: workerId, version: 'test', queues: ['play'], knows: [] });
  const attempts = createAttempts({ db: own, workerId, leaseMs, emit, onCommitted: () => undefined });
  const running = new Running({ attempts, leaseMs, renewMs, emit });
  const leaving = new AbortController();
  const definition = { queue: playQueue, handlers: { play: handler as Handler }, typed: undefined };
  const services = { db: own } as unknown as Services;
  const parts = { definition, registry, attempts, running, db: own, services, emit, workerId };
  const host = new WorkerHost({ ...parts, dayMicroUsd, shutMs, leaving: leaving.signal });
  const enqueue = createEnqueue({ db, emit, onCommitted: () => undefined });
  const wrapping = { kind: 'play', queue: 'play', showProgress: () => undefined };
  running.start();
  const row = async (id: string): Promise<JobRow> => db.prisma.job.findUniqueOrThrow({ where: { id } });
  return {
    db,
    proxy,
    attempts,
    running,
    leaving,
    seen,
    row,
    async add(payload = {}) {
      const job = newJob(checkJob(registry, { kind: 'play', payload }, Date.now()), {
        tenant: 'test',
        source: 'api',
        requestId: 'req-1',
      });
      return (await enqueue({ job, key: undefined })).id;
    },
    async deliver(id) {
      const { generation, runAt } = await row(id);
      if (runAt.getTime() > Date.now())
        await db.prisma.job.update({ where: { id }, data: { runAt: new Date() } });
      return host.process({ ...wrapping, data: { jobId: id, generation } as EngineData });
    },
    deliverRaw: (data) => host.process({ ...wrapping, data: data as EngineData }),
    async outcomes(id) {
      const rows = await db.prisma.attempt.findMany({ where: { jobId: id }, orderBy: { attemptNo: 'asc' } });
      return rows.map((attempt) => attempt.outcome);
    },
    async close() {
      leaving.abort();
      running.stop();
      await Promise.all([own.close(), proxy.close()]);
      await db.close();
      await database.drop();
    },
  };
}

function record(): { emit: Emit; seen: Stage['seen'] } {
  const log = new Map<EventName, unknown[]>();
  return {
    emit: (name, event) => void log.set(name, [...(log.get(name) ?? []), event]),
    seen: (name) => (log.get(name) ?? []) as never,
  };
}

/** A promise to settle by hand: `open` lets whoever waits at it through. */
export function gate(): { passed: Promise<unknown>; open: () => void } {
  const opened = new AbortController();
  return { passed: aborted(opened.signal), open: () => opened.abort() };
}

/** Resolves when the signal aborts, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}
