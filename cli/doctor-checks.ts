// The judgements of `storytime doctor`, one function a subject. Each gives a verdict and, unless all is well, what to do.
import { isSandboxed, type Config, type ProviderKey } from '../shared/config.ts';
import { toError } from '../shared/errors.ts';
import { openEngine } from '../engine/connect.ts';
import { readRedisFacts } from '../engine/pressure.ts';
import type { EngineKind } from '../engine/types.ts';
import type { GateRow } from '../ledger/gates.ts';
import { migrationStatus } from '../ledger/migrate.ts';
import type { ServerFacts } from '../ledger/server-facts.ts';
import { createProviders } from '../providers/create.ts';
import type { Providers } from '../providers/ports.ts';
import { redisVerdicts } from './doctor-redis.ts';
import { workers } from '../workers/index.ts';

export interface Verdict {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What to do about it. */
  hint?: string;
}

export function clock({ skewMs }: ServerFacts): Verdict {
  const skew = Math.abs(skewMs);
  const detail = `${(skewMs / 1_000).toFixed(1)} s from the database's`;
  if (skew <= 2_000) return { check: 'clock', status: 'ok', detail };
  const hint = 'set this machine to network time: jobs start late and links expire early';
  return { check: 'clock', status: skew > 5_000 ? 'fail' : 'warn', detail, hint };
}

export function synchronousCommit({ synchronousCommit: value }: ServerFacts): Verdict {
  const check = 'synchronous_commit';
  if (value !== 'off') return { check, status: 'ok', detail: value };
  return {
    check,
    status: 'warn',
    detail: `${value}; our own connections turn it on`,
    hint: 'turn it on: a power cut would lose jobs that other code enqueues in its own transactions',
  };
}

/** What one api, one work and one dashboard process may open together, against what the server allows. */
export function connections(config: Config, { maxConnections, connections: now }: ServerFacts): Verdict {
  const ledger = 3 * config.STORYTIME_LEDGER_POOL + 1;
  const forEngine = config.REDIS_URL === undefined ? 3 * 10 + workers.length : 0;
  const sum = ledger + forEngine;
  const detail = `api, work and dashboard may open ${sum} of ${maxConnections}; ${now} are open now`;
  if (sum <= maxConnections * 0.8) return { check: 'connections', status: 'ok', detail };
  const hint =
    'raise max_connections, or lower STORYTIME_LEDGER_POOL; every further work process adds its own';
  return { check: 'connections', status: sum > maxConnections ? 'fail' : 'warn', detail, hint };
}

export async function migrations(databaseUrl: string): Promise<Verdict> {
  const check = 'migrations';
  const { pending, unknown, missing } = await migrationStatus(databaseUrl);
  if (missing.length > 0)
    return {
      check,
      status: 'fail',
      detail: `the database needs a build that has ${missing.join(', ')}`,
      hint: 'deploy a newer build',
    };
  if (pending.length > 0)
    return {
      check,
      status: 'fail',
      detail: `not applied: ${pending.join(', ')}`,
      hint: 'run `storytime migrate`',
    };
  const newer = unknown.length > 0 ? `; a newer build added ${unknown.join(', ')}` : '';
  return { check, status: 'ok', detail: `the ledger is up to date${newer}` };
}

/** Gate -> its row, of those that were ever closed or limited. */
export function gates(rows: ReadonlyMap<string, Pick<GateRow, 'open' | 'reason' | 'waitMs'>>): Verdict {
  const check = 'gates';
  const shut = [...rows].filter(([, { open }]) => !open);
  if (shut.length === 0) return { check, status: 'ok', detail: 'all open: every provider may be called' };
  const told = shut.map(([name, { reason, waitMs }]) =>
    waitMs > 0
      ? `${name} is closed for ${Math.ceil(waitMs / 1_000)} s more (${reason})`
      : `${name} is looked at again (${reason})`,
  );
  const hint = 'its jobs wait; `storytime providers list` says why, docs/on-call.md what to do';
  return { check, status: 'warn', detail: told.join(', '), hint };
}

const engineNames: Readonly<Record<EngineKind, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  'redis-sentinel': 'Redis behind Sentinel',
  'redis-cluster': 'Redis Cluster',
};

/** `databaseUrl` counts for an engine on PostgreSQL alone. */
export async function engine(config: Config, databaseUrl: string): Promise<Verdict[]> {
  const opened = openEngine({ databaseUrl, redisUrl: config.REDIS_URL, workers: 0 });
  const detail = `BullMQ on ${engineNames[opened.kind]}`;
  try {
    await Promise.race([opened.ready.then((link) => link.ping()), timeout(4_000)]);
    const facts = await opened.ready.then((link) => readRedisFacts(link.store));
    const ofRedis = facts === undefined ? [] : redisVerdicts(facts, config.NODE_ENV === 'production');
    return [{ check: 'engine', status: 'ok', detail }, ...ofRedis];
  } catch (thrown) {
    const hint = opened.kind === 'postgres' ? 'run `storytime migrate`' : 'check REDIS_URL and that it runs';
    const reason = opened.problem() ?? toError(thrown).message;
    return [{ check: 'engine', status: 'fail', detail: `${detail}: ${reason}`, hint }];
  } finally {
    await opened.close();
  }
}

async function timeout(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms).unref();
  });
}

const keyOf: Readonly<Record<keyof Providers, ProviderKey>> = {
  gemini: 'GEMINI_API_KEY',
  elevenlabs: 'ELEVENLABS_API_KEY',
  deepgram: 'DEEPGRAM_API_KEY',
  cloudinary: 'CLOUDINARY_URL',
  smtp: 'SMTP_URL',
};

/** Asks each provider a question that costs nothing; not those that a wrong setting would lead to the wrong place. */
export async function providers(config: Config, wrong: ReadonlySet<string>): Promise<Verdict[]> {
  const { close, ...ports } = createProviders(config, { emit: () => undefined });
  try {
    const names = (Object.keys(keyOf) as (keyof Providers)[]).filter(
      (name) => !placesOf(config, name).some((setting) => wrong.has(setting)),
    );
    return await Promise.all(names.map((name) => provider(config, name, ports[name])));
  } finally {
    await close();
  }
}

/** The settings that say where a provider is. */
function placesOf(config: Config, name: keyof Providers): string[] {
  if (!isSandboxed(config, keyOf[name])) return [keyOf[name]];
  return [keyOf[name], name === 'smtp' ? 'STORYTIME_SANDBOX_SMTP_URL' : 'STORYTIME_SANDBOX_URL'];
}

async function provider(
  config: Config,
  name: keyof Providers,
  port: Providers[keyof Providers],
): Promise<Verdict> {
  const sandboxed = isSandboxed(config, keyOf[name]);
  const where = sandboxed ? 'sandbox' : 'real';
  try {
    await port.ping(AbortSignal.timeout(8_000));
    return { check: name, status: 'ok', detail: where };
  } catch (thrown) {
    const detail = `${where}: ${toError(thrown).message}`;
    // The sandbox only runs while the system does; that it is not there now is no fault.
    if (sandboxed)
      return { check: name, status: 'warn', detail, hint: '`storytime up` or `storytime sandbox` starts it' };
    return { check: name, status: 'fail', detail, hint: `check ${keyOf[name]} and the network` };
  }
}
