// `storytime work`: runs jobs, of all queues or of those that are named, and does its share of the maintenance.
import { dailyBudgetMicroUsd, isChosen, type Environment } from '../shared/config.ts';
import { createProviders } from '../providers/create.ts';
import { createLedgerClock } from '../ledger/clock.ts';
import { noteFault } from '../ledger/crashes.ts';
import { createLinks, storyFolder } from '../ledger/links.ts';
import { registry } from '../queues/index.ts';
import type { Registry } from '../queues/registry.ts';
import type { Services, WorkerDefinition } from '../workers/define.ts';
import { openGates } from '../workers/gates.ts';
import { workers } from '../workers/index.ts';
import { startProviderFigures } from '../workers/provider-figures.ts';
import { startWork, type Work } from '../workers/work.ts';
import { createLane } from './lane.ts';
import { laneLeadMs, runLane } from './lane-work.ts';
import { refuseEviction } from './eviction.ts';
import { linkSecretOf, openParts, publicUrlOf, type Parts } from './parts.ts';
import { findPort } from './ports.ts';
import { startProbes, type ProbesOptions } from './probes.ts';
import { queueNames } from './queue-names.ts';
import { runPart, type Part } from './process.ts';

/** Which jobs there are and who runs them. */
interface Cast {
  registry: Registry;
  workers: readonly WorkerDefinition[];
}

interface Wanted {
  /** Only these queues; default all. */
  queues?: readonly string[];
  /** The process is the quarantine lane of another work process. */
  lane?: true;
}

interface WorkStart extends Wanted {
  env: Environment;
  cast: Cast;
}

/** `cast`: tests bring kinds and handlers of their own; everything else is as in production. */
export async function runWork(
  env: Environment,
  wanted: Wanted,
  cast: Cast = { registry, workers },
): Promise<number> {
  queueNames(wanted.queues, cast.registry);
  return runPart(wanted.lane === true ? 'lane' : 'work', env, (part) =>
    start(part, { ...wanted, env, cast }),
  );
}

async function start(part: Part, { env, queues, cast, lane }: WorkStart): Promise<string> {
  const { config, emit, lifecycle, version } = part;
  const parts = await openParts(part, {
    registry: cast.registry,
    workers: lane === true ? 1 : (queues?.length ?? cast.workers.length),
    statementTimeoutMs: 10_000,
  });
  await refuseEviction(part, parts.engine);
  const dayMicroUsd = dailyBudgetMicroUsd(config);
  const shutMs = config.STORYTIME_BREAKER === 'on' ? config.STORYTIME_GATE_MS : undefined;
  const options = {
    ...parts,
    ...openServices(part, parts),
    ...cast,
    config,
    emit,
    version,
    dayMicroUsd,
    shutMs,
  };
  if (lane === true) return runLane(part, options);
  const graceMs = config.STORYTIME_GRACE_MS;
  const leadMs = laneLeadMs(config.STORYTIME_LEASE_MS);
  let work: Work | undefined;
  const url = await openProbes(part, () => work, env);
  const started = await startWork({
    ...options,
    openLane: (ended) => createLane({ db: parts.db, emit, env, graceMs, leadMs, ended }),
    recycle: (reason) => void lifecycle.stop(reason, 1),
    ...(queues !== undefined && { queues }),
  });
  work = started;
  part.onFault(() => void noteFault(parts.db, started.workerId).catch(() => undefined));
  lifecycle.onStop('the work', () => started.stop(), graceMs + 5_000);
  return url;
}

/** Providers, and links to what the jobs make; stopped after the work. */
function openServices({ config, emit, lifecycle }: Part, { db, relay }: Parts): { services: Services } {
  const gates = openGates({ db, emit, baseMs: config.STORYTIME_GATE_MS });
  lifecycle.onStop('the gates', () => gates.close());
  const figures = startProviderFigures(db, emit);
  lifecycle.onStop('the provider figures', () => figures.stop());
  const providers = createProviders(config, { emit: figures.emit, gateOf: gates.of });
  lifecycle.onStop('the providers', () => providers.close());
  lifecycle.onStop('the relay', () => relay.idle());
  const { now } = createLedgerClock(db);
  const secret = linkSecretOf(config);
  const artifactLink = createLinks({ secret, publicUrl: publicUrlOf(config), now });
  return { services: { ...providers, db, artifactLink, storyFolder: (id) => storyFolder(secret, id) } };
}

/** Before the work has begun, which takes the ledger, and while it ends. */
const notNow = { ledger: false, engine: false, held: [] };

/**
 * /livez, /readyz and /metrics, open before anything else is there: a process that waits is alive. Several work
 * processes on one machine share the default: the next takes a free port.
 */
async function openProbes(part: Part, work: () => Work | undefined, env: Environment): Promise<string> {
  const setting = 'STORYTIME_WORK_PORT';
  const wish = { setting, port: part.config[setting], chosen: isChosen(env, setting) };
  const host = part.config.STORYTIME_WORK_HOST;
  const port = await findPort(wish, { host, patienceMs: 0 });
  const ready = async (): ReturnType<ProbesOptions['ready']> =>
    part.lifecycle.stopping ? notNow : ((await work()?.ready()) ?? notNow);
  const probes = await startProbes({ host, port, ready, metrics: part.metrics });
  part.lifecycle.onStop('the probes', () => probes.close());
  return probes.url;
}
