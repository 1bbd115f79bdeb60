// A work process: hosts for its queues, leases, maintenance. Starts without the engine or with a ledger that comes later,
// stops in phases: take nothing more, let jobs finish, hand the rest back, leave.
import type { Config } from '../shared/config.ts';
import type { Emit, HoldReason } from '../shared/events.ts';
import { newId } from '../shared/ids.ts';
import { parentIsGone } from '../shared/parent.ts';
import type { Engine, Link } from '../engine/connect.ts';
import { consume } from '../engine/consume.ts';
import type { Broker, Consumer, OnDelivery } from '../engine/types.ts';
import { createAttempts, type Attempts } from '../ledger/attempts.ts';
import type { Db } from '../ledger/db.ts';
import type { Dispatch } from '../ledger/insert.ts';
import { watchReadiness, type Readiness } from '../ledger/readiness.ts';
import type { Relay } from '../ledger/relay.ts';
import { registerWorker, workerDraining, workerSeen, workerStopped } from '../ledger/workers.ts';
import type { Registry } from '../queues/registry.ts';
import { knowledge } from '../queues/versions.ts';
import { startCare } from './care.ts';
import type { Services, WorkerDefinition } from './define.ts';
import { WorkerHost } from './host.ts';
import { createIntake, type Intake } from './intake.ts';
import { persist } from './persist.ts';
import { stopRunning, within } from './phases.ts';
import { laneDefinition, type Lane } from './quarantine.ts';
import { Running } from './running.ts';
import { takeFromLedger } from './taking.ts';
import { watchClock } from './watch-clock.ts';
import { watchDeliveries } from './watchdog.ts';
import { watchLag } from './watch-lag.ts';

type Timers = Pick<
  Config,
  | 'STORYTIME_LEASE_MS'
  | 'STORYTIME_RENEW_MS'
  | 'STORYTIME_SWEEP_MS'
  | 'STORYTIME_RECONCILE_MS'
  | 'STORYTIME_AGEING_MS'
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
  /** How long a provider's gate is closed for a job that would die of an outage, in ms; left out: it dies. */
  shutMs?: number | undefined;
  /** Only these queues; default all. */
  queues?: readonly string[];
  /** This process is the quarantine lane, under this worker id: it takes nothing else and maintains nothing. */
  laneAs?: string;
  /** Gives the lane's process; `ended` tells that it is gone. Without it somebody else serves the lane. */
  openLane?: (ended: () => void) => Lane;
  /** The process should stop in order and be started anew: code that ignores its abort fills it, or no delivery reaches it. */
  recycle?: (reason: string) => void;
}

export interface Work {
  workerId: string;
  /** Whether this process can do its work: it needs both, and no reason to take nothing. */
  ready: () => Promise<Readiness & { held: readonly HoldReason[] }>;
  /** No job runs here. */
  idle: () => boolean;
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
  /** Handlers that went on after their abort. */
  abandoned: number;
  /** Ends what was started with the consumers. */
  unwatch: (() => void) | undefined;
}

/** Such handlers that one process is given: each still holds memory, sockets, perhaps a CPU. */
const abandonedLimit = 3;

export async function startWork(options: WorkOptions): Promise<Work> {
  const { config, db } = options;
  const workerId = options.laneAs ?? newId();
  const leaving = new AbortController();
  const definitions = definitionsOf(options);
  const queues = definitions.map(({ queue }) => queue.name);
  const row = { id: workerId, version: options.version, queues, knows: knowledge(options.registry, queues) };
  const readiness = watchReadiness(options); // first of all: it tells why the next line waits
  let tries = 0;
  await persist(() => ((tries += 1), registerWorker(db, row)), leaving.signal);
  const onCommitted = (rows: readonly Dispatch[]): void => options.relay.nudge(rows);
  const parts = createParts(options, { workerId, leaving, onCommitted });
  const { held, takers } = parts.intake;
  const carer = { workerId, onCommitted, afterOutage: tries > 1, held, readiness };
  const care = options.laneAs === undefined ? startCare(options, carer) : undefined;
  const watches = startWatches(options, parts);
  // The engine may come later than this process: nothing is built on it before it has answered.
  Promise.all([options.engine.ready, watches.clockCompared])
    .then(([link]) => startConsumers(options, parts, definitions, link))
    .catch(() => undefined);
  return {
    workerId,
    idle: () => parts.running.size === 0,
    ready: async () => ({ ...(await readiness.now()), held: held() }),
    async stop() {
      parts.stopping = true;
      parts.intake.end();
      parts.unwatch?.();
      if (wasAsked(options)) workerDraining(db, workerId).catch(() => undefined); // or a kill in the middle counts as a crash
      await Promise.all([stopRunning({ ...parts, takers }, config.STORYTIME_GRACE_MS), care?.stop()]);
      watches.stop();
      readiness.stop();
      parts.running.stop();
      await within(
        1_000,
        workerStopped(db, workerId).catch(() => undefined),
      );
    },
  };
}

/**
 * One whose `up` was killed leaves because of that death and is part of it, whether the ledger outlives it by a moment or not.
 * The lane's job is not charged with the death of its parent, as far as there is time to say so.
 */
function wasAsked({ laneAs }: WorkOptions): boolean {
  return laneAs !== undefined || !parentIsGone();
}

interface Own extends Pick<Parts, 'workerId' | 'leaving'> {
  onCommitted: (rows: readonly Dispatch[]) => void;
}

function createParts({ config, db, broker, emit }: WorkOptions, own: Own): Parts {
  const { workerId, leaving, onCommitted } = own;
  const leaseMs = config.STORYTIME_LEASE_MS;
  const attempts = createAttempts({ db, workerId, leaseMs, emit, onCommitted });
  const running = new Running({ attempts, leaseMs, renewMs: config.STORYTIME_RENEW_MS, emit });
  running.start();
  const intake = createIntake(emit);
  broker.onPressure(({ usedShare, holdsTakes }) => {
    const message = `the engine's memory is ${Math.round(usedShare * 100)} % full`;
    if (holdsTakes) intake.hold('engine_full', message);
    else intake.release('engine_full');
  });
  return { workerId, leaving, stopping: false, attempts, running, intake, abandoned: 0, unwatch: undefined };
}

interface Watches {
  clockCompared: Promise<void>;
  stop: () => void;
}

function startWatches({ db, emit, config }: WorkOptions, { workerId, intake }: Parts): Watches {
  const clock = watchClock({ db, intake, emit });
  const stopLag = watchLag({ intake, emit, leaseMs: config.STORYTIME_LEASE_MS });
  const see = (): void => void workerSeen(db, workerId).catch(() => undefined);
  const seen = setInterval(see, config.STORYTIME_RENEW_MS);
  return {
    clockCompared: clock.compared,
    stop() {
      clock.stop();
      stopLag();
      clearInterval(seen);
    },
  };
}

function countAbandoned({ emit, recycle }: WorkOptions, count: number): void {
  const message = `a handler ignores its abort (number ${count}); its slot is free again`;
  emit('notice', { level: 'warn', message });
  if (count >= abandonedLimit) recycle?.(`${count} handlers ignore their abort`);
}

function definitionsOf({ laneAs, workers, queues }: WorkOptions): WorkerDefinition[] {
  if (laneAs !== undefined) return [laneDefinition(workers)];
  return workers.filter(({ queue }) => queues?.includes(queue.name) ?? true);
}

function startConsumers(
  options: WorkOptions,
  parts: Parts,
  definitions: readonly WorkerDefinition[],
  link: Link,
): void {
  if (parts.stopping) return;
  const consumers = definitions.map((definition) => startConsumer(options, parts, definition, link));
  const { STORYTIME_LEASE_MS: leaseMs, STORYTIME_SWEEP_MS: sweepMs } = options.config;
  parts.unwatch = watchDeliveries({
    ...options,
    consumers,
    quietMs: waitMsOf(options) * 2,
    overdueMs: leaseMs + sweepMs * 2,
    giveUp: (reason) => options.recycle?.(reason),
  });
  options.relay.sweep().catch(() => undefined); // what waited for the engine
}

/** How long BullMQ waits for a job before it asks again. */
function waitMsOf({ config }: WorkOptions): number {
  return Math.min(config.STORYTIME_LEASE_MS / 3, 5_000);
}

function startConsumer(
  options: WorkOptions,
  parts: Parts,
  definition: WorkerDefinition,
  link: Link,
): Consumer {
  const { db, registry, config, emit, laneAs } = options;
  const { attempts, running, workerId, leaving, intake } = parts;
  const { name: queue } = definition.queue;
  const onAbandoned = (): void => countAbandoned(options, (parts.abandoned += 1));
  const own = { definition, attempts, running, workerId, leaving: leaving.signal, onAbandoned };
  const host = new WorkerHost({ ...options, ...own });
  const scaled = Math.round(definition.queue.concurrency * config.STORYTIME_CONCURRENCY_SCALE);
  const concurrency = laneAs === undefined ? Math.max(1, scaled) : 1;
  const knows = knowledge(registry, [queue]);
  const everyMs = Math.min(config.STORYTIME_SWEEP_MS, 2_000);
  const onDelivery: OnDelivery = (delivery) => host.process(delivery);
  const settings = { concurrency, emit, waitMs: waitMsOf(options), held: true };
  const consumer = consume(link, queue, settings, onDelivery);
  intake.add(consumer, takeFromLedger({ db, knows, queue, concurrency, everyMs }, onDelivery));
  return consumer;
}
