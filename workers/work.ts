// A work process: hosts for its queues, leases, maintenance. Starts without the engine or with a ledger that comes later,
// stops in phases: take nothing more, let jobs finish, hand the rest back, leave.
import type { Config } from '../shared/config.ts';
import type { Emit, HoldReason } from '../shared/events.ts';
import { newId } from '../shared/ids.ts';
import type { Engine, Link } from '../engine/connect.ts';
import { consume } from '../engine/consume.ts';
import type { Broker, OnDelivery } from '../engine/types.ts';
import { createAttempts, type Attempts } from '../ledger/attempts.ts';
import type { Db } from '../ledger/db.ts';
import type { Dispatch } from '../ledger/insert.ts';
import { listen } from '../ledger/listen.ts';
import { watchReadiness, type Readiness, type ReadinessWatch } from '../ledger/readiness.ts';
import type { Relay } from '../ledger/relay.ts';
import { registerWorker, workerSeen, workerStopped } from '../ledger/workers.ts';
import type { Registry } from '../queues/registry.ts';
import { knowledge } from '../queues/versions.ts';
import type { Services, WorkerDefinition } from './define.ts';
import { WorkerHost } from './host.ts';
import { createIntake, type Intake } from './intake.ts';
import { startMaintenance, type Maintenance } from './maintenance/loop.ts';
import { expirer, pruner, waiterRepair } from './maintenance/pruner.ts';
import { relaySweep } from './maintenance/relay-sweep.ts';
import { reconciler } from './maintenance/reconciler.ts';
import { rescuer } from './maintenance/rescuer.ts';
import { unparker } from './maintenance/unparker.ts';
import { persist } from './persist.ts';
import { stopRunning } from './phases.ts';
import { Running } from './running.ts';
import { takeFromLedger } from './taking.ts';

type Timers = Pick<
  Config,
  | 'STORYTIME_LEASE_MS'
  | 'STORYTIME_RENEW_MS'
  | 'STORYTIME_SWEEP_MS'
  | 'STORYTIME_RECONCILE_MS'
  | 'STORYTIME_GRACE_MS'
  | 'STORYTIME_CONCURRENCY_SCALE'
>;

export interface WorkOptions {
  config: Timers;
  db: Db;
  engine: Engine;
  broker: Broker;
  relay: Relay;
  registry: Registry;
  workers: readonly WorkerDefinition[];
  services: Services;
  emit: Emit;
  version: string;
  /** Millionths of a dollar a day for a tenant without a budget of its own; left out: no limit. */
  dayMicroUsd?: number | undefined;
  /** Only these queues; default all. */
  queues?: readonly string[];
}

export interface Work {
  workerId: string;
  /** Whether this process can do its work: it needs both, and no reason to take nothing. */
  ready: () => Promise<Readiness & { held: readonly HoldReason[] }>;
  stop: () => Promise<void>;
}

interface Parts {
  workerId: string;
  leaving: AbortController;
  /** No consumer is started any more. */
  stopping: boolean;
  attempts: Attempts;
  running: Running;
  intake: Intake;
}

export async function startWork(options: WorkOptions): Promise<Work> {
  const { config, db, emit } = options;
  const workerId = newId();
  const leaving = new AbortController();
  const definitions = options.workers.filter(({ queue }) => options.queues?.includes(queue.name) ?? true);
  const queues = definitions.map(({ queue }) => queue.name);
  const row = { id: workerId, version: options.version, queues, knows: knowledge(options.registry, queues) };
  await persist(() => registerWorker(db, row), leaving.signal);
  const onCommitted = (rows: readonly Dispatch[]): void => options.relay.nudge(rows);
  const attempts = createAttempts({ db, workerId, leaseMs: config.STORYTIME_LEASE_MS, emit, onCommitted });
  const leases = { leaseMs: config.STORYTIME_LEASE_MS, renewMs: config.STORYTIME_RENEW_MS };
  const running = new Running({ attempts, ...leases, emit });
  running.start();
  const parts: Parts = { workerId, leaving, stopping: false, attempts, running, intake: createIntake(emit) };
  const maintenance = startDuties(options, workerId, onCommitted);
  const watches = startWatches(options, workerId, maintenance);
  options.broker.onReturn(() => maintenance.hint('reconciler')); // it may have come back with less
  // The engine may come later than this process: nothing is built on it before it has answered.
  options.engine.ready
    .then((link) => startConsumers(options, parts, definitions, link))
    .catch(() => undefined);
  return {
    workerId,
    ready: async () => ({ ...(await watches.readiness.now()), held: parts.intake.held() }),
    async stop() {
      parts.stopping = true;
      parts.intake.end();
      await stopRunning({ ...parts, takers: parts.intake.takers }, config.STORYTIME_GRACE_MS);
      await maintenance.stop();
      await watches.stop();
      running.stop();
      await workerStopped(db, workerId).catch(() => undefined);
    },
  };
}

interface Watches {
  readiness: ReadinessWatch;
  stop: () => Promise<void>;
}

function startWatches(
  { db, broker, emit, config }: WorkOptions,
  workerId: string,
  maintenance: Maintenance,
): Watches {
  const readiness = watchReadiness({ db, broker, emit });
  const unlisten = listen(db, () => maintenance.hint('relay-sweep'));
  const see = (): void => void workerSeen(db, workerId).catch(() => undefined);
  const seen = setInterval(see, config.STORYTIME_RENEW_MS);
  return {
    readiness,
    async stop() {
      readiness.stop();
      clearInterval(seen);
      await unlisten();
    },
  };
}

function startConsumers(
  options: WorkOptions,
  parts: Parts,
  definitions: readonly WorkerDefinition[],
  link: Link,
): void {
  if (parts.stopping) return;
  for (const definition of definitions) {
    const host = new WorkerHost({
      ...options,
      definition,
      attempts: parts.attempts,
      running: parts.running,
      workerId: parts.workerId,
      leaving: parts.leaving.signal,
    });
    const concurrency = Math.max(
      1,
      Math.round(definition.queue.concurrency * options.config.STORYTIME_CONCURRENCY_SCALE),
    );
    const { name: queue } = definition.queue;
    const knows = knowledge(options.registry, [queue]);
    const everyMs = Math.min(options.config.STORYTIME_SWEEP_MS, 2_000);
    const onDelivery: OnDelivery = (delivery) => host.process(delivery);
    parts.intake.add(
      consume(link, queue, { concurrency, emit: options.emit, held: true }, onDelivery),
      takeFromLedger({ db: options.db, knows, queue, concurrency, everyMs }, onDelivery),
    );
  }
  options.relay.sweep().catch(() => undefined); // what waited for the engine
}

function startDuties(
  options: WorkOptions,
  workerId: string,
  onCommitted: (rows: readonly Dispatch[]) => void,
): Maintenance {
  const { db, relay, emit } = options;
  const queues = options.registry.queues.map(({ name }) => name);
  const everyMs = options.config.STORYTIME_SWEEP_MS;
  const duties = [
    relaySweep(relay, Math.min(everyMs, 2_000)),
    rescuer({ ...options, queues, onCommitted, leaseMs: options.config.STORYTIME_LEASE_MS, everyMs }),
    reconciler({ ...options, queues, workerId, everyMs: options.config.STORYTIME_RECONCILE_MS }),
    unparker({ db, onCommitted, aliveMs: options.config.STORYTIME_LEASE_MS, everyMs }),
    expirer(db, everyMs * 6, onCommitted),
    waiterRepair(db, everyMs * 6),
    pruner(db, 60_000),
  ];
  return startMaintenance({ db, workerId, duties, queues, leadMs: Math.max(everyMs * 2, 1_000), emit });
}
