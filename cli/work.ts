// `storytime work`: runs jobs, of all queues or of those that are named, and does its share of the maintenance.
import { isChosen, type Environment } from '../shared/config.ts';
import { createProviders } from '../providers/create.ts';
import { signLink } from '../ledger/links.ts';
import { registry } from '../queues/index.ts';
import type { Registry } from '../queues/registry.ts';
import type { WorkerDefinition } from '../workers/define.ts';
import { openGates } from '../workers/gates.ts';
import { workers } from '../workers/index.ts';
import { startWork, type Work } from '../workers/work.ts';
import { linkSecretOf, openParts, publicUrlOf } from './parts.ts';
import { findPort } from './ports.ts';
import { startProbes } from './probes.ts';
import { queueNames } from './queue-names.ts';
import { runPart, type Part } from './process.ts';

const linkDays = 7;

/** Which jobs there are and who runs them. */
interface Cast {
  registry: Registry;
  workers: readonly WorkerDefinition[];
}

interface WorkStart {
  env: Environment;
  /** Default all. */
  queues: readonly string[] | undefined;
  cast: Cast;
}

/** `cast`: tests bring kinds and handlers of their own; everything else is as in production. */
export async function runWork(
  env: Environment,
  wanted: readonly string[] | undefined,
  cast: Cast = { registry, workers },
): Promise<number> {
  const queues = queueNames(wanted, cast.registry);
  return runPart('work', env, (part) => start(part, { env, queues, cast }));
}

async function start(part: Part, { env, queues, cast }: WorkStart): Promise<string> {
  const { config, emit, lifecycle } = part;
  const listening = queues?.length ?? cast.workers.length;
  const parts = await openParts(part, {
    registry: cast.registry,
    workers: listening,
    statementTimeoutMs: 10_000,
  });
  const gates = openGates({ db: parts.db, emit, baseMs: config.STORYTIME_GATE_MS });
  lifecycle.onStop('the gates', () => gates.close());
  const providers = createProviders(config, { emit, gateOf: gates.of });
  lifecycle.onStop('the providers', () => providers.close());
  lifecycle.onStop('the relay', () => parts.relay.idle());
  const secret = linkSecretOf(config);
  const artifactLink = (id: string): string =>
    publicUrlOf(config) + signLink(secret, { id, expiresAt: new Date(Date.now() + linkDays * 86_400_000) });
  const work = await startWork({
    ...parts,
    config,
    ...cast,
    services: { ...providers, db: parts.db, artifactLink },
    emit,
    version: part.version,
    dayMicroUsd: microUsd(config.STORYTIME_DAILY_BUDGET_USD),
    ...(queues !== undefined && { queues }),
  });
  lifecycle.onStop('the work', () => work.stop());
  return await openProbes(part, work, env);
}

function microUsd(usd: number | undefined): number | undefined {
  return usd === undefined ? undefined : Math.round(usd * 1_000_000);
}

/** /livez, /readyz and /metrics on loopback. Several work processes on one machine share the default: the next takes a free port. */
async function openProbes(part: Part, work: Work, env: Environment): Promise<string> {
  const setting = 'STORYTIME_WORK_PORT';
  const wish = { setting, port: part.config[setting], chosen: isChosen(env, setting) };
  const port = await findPort(wish, { host: '127.0.0.1', patienceMs: 0 });
  const probes = await startProbes({ port, ready: () => work.ready(), metrics: part.metrics });
  part.lifecycle.onStop('the probes', () => probes.close());
  return probes.url;
}
