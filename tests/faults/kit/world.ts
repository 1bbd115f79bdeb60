// Everything a row has: a database of its own, a Redis of its own (on that engine), a fleet of real processes with scaled
// timers, a caller, a bill, seeded chance. `closeWorld` leaves nothing behind.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDb, type Db } from '../../../ledger/db.ts';
import { freePort } from '../../../ledger/embedded/port.ts';
import { createKey } from '../../../ledger/keys.ts';
import { registry } from '../../../queues/index.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';
import { eventually } from '../../support/house.ts';
import type { TestRedis } from '../../support/redis.ts';
import type { RedisGroup } from '../../support/redis-groups.ts';
import { disagreementOf } from './agreement.ts';
import { faultRegistry } from '../programs/kinds.ts';
import { startBill, type Bill } from './bill.ts';
import { readiness } from './census.ts';
import { checkInvariants, type CheckOptions, type Counts, type Invariant } from './check.ts';
import { createCaller, type Caller } from './client.ts';
import { createFleet, type Fleet, type Member, type MemberOptions, type PartName } from './fleet.ts';
import { planOf, seeded, type Plan } from './plan.ts';
import type { OwnPostgres } from './postgres.ts';
import { sandboxOf, sandboxPorts, type FaultSandbox } from './sandbox.ts';
import { openStores, type EngineName, type StoreOptions, type Stores } from './stores.ts';

export interface World extends Plan {
  engine: EngineName;
  seed: number;
  /** 0 to 1, the same for the same seed. */
  random: () => number;
  databaseUrl: string;
  /** On engine redis. */
  redisUrl: string | undefined;
  /** On engine redis, unless it is a group. */
  redis: TestRedis | undefined;
  /** With `redisGroup`. */
  group: RedisGroup | undefined;
  /** With `ownPostgres`. */
  postgres: OwnPostgres | undefined;
  /** The row's own way to the ledger, past every proxy. */
  db: Db;
  /** The caller's API key: every scope, tenant `faults`. */
  key: string;
  /** What every process is started with; change it before a start. */
  env: Record<string, string>;
  folder: string;
  bill: Bill;
  caller: Caller;
  members: readonly Member[];
  /** Starts a process; the first api is the one the caller speaks to. */
  start: (part: PartName, options?: MemberOptions) => Promise<Member>;
  /** Starts the real sandbox; processes started after it call it. Its bill counts in `check`. */
  startSandbox: (options?: MemberOptions) => Promise<FaultSandbox>;
  /** Sends the caller to another address, e.g. a proxy's; a function is asked before each request. */
  callVia: (url: string | (() => string)) => void;
  /** Rows of one state of the ledger, by name. */
  states: () => Promise<Record<string, number>>;
  /** Waits until no job is open; resolves with the milliseconds it took. */
  settled: (limitMs: number) => Promise<number>;
  /** Makes what waits for a later try due now, as an operator would; back-offs of half a minute would be the row's time. */
  hasten: () => Promise<void>;
  check: (invariants: readonly Invariant[], options?: CheckOptions) => Promise<Counts>;
}

export interface WorldOptions extends StoreOptions {
  seed: number;
  /** Over the scaled ones; STORYTIME_ names. */
  timers?: Record<string, string>;
}

const scaledTimers = {
  STORYTIME_LEASE_MS: '2000',
  STORYTIME_RENEW_MS: '500',
  STORYTIME_SWEEP_MS: '500',
  STORYTIME_RECONCILE_MS: '1000',
  STORYTIME_GRACE_MS: '3000',
};

/** For rows that are not about leases: none may run out because a machine stands still for a second. */
export const calmLeases = { STORYTIME_LEASE_MS: '9000', STORYTIME_RENEW_MS: '2000' };

const preload = pathToFileURL(join(process.cwd(), 'tests/faults/kit/preload.js')).href;
const countStates = {
  name: 'world_states',
  text: 'SELECT state::text, count(*)::int AS count FROM job GROUP BY state',
};
const hasten = {
  name: 'world_hasten',
  text: `UPDATE job SET run_at = clock_timestamp(), generation = generation + 1, dispatched_at = NULL, claimed_until = clock_timestamp()
    WHERE state IN ('retrying', 'snoozed') AND run_at > clock_timestamp() + interval '2 s'`,
};
const openStates = new Set(['blocked', 'scheduled', 'waiting', 'running', 'retrying', 'snoozed', 'parked']);

export async function openWorld(options: WorldOptions): Promise<World & { close: () => Promise<void> }> {
  const { engine, seed, timers = {} } = options;
  const stores = await openStores(options);
  const { databaseUrl, redisUrl, redis, group, postgres } = stores;
  const folder = await createFolder();
  const bill = await startBill();
  const db = openDb({ url: databaseUrl, poolSize: 4, statementTimeoutMs: 20_000, emit: () => undefined });
  const { key } = await createKey(db, { name: 'row', tenant: 'faults', scopes: ['admin'] });
  const env = await environmentOf({ folder, databaseUrl, redisUrl, billUrl: bill.url, timers });
  const fleet = createFleet(preload);
  const { members } = fleet;
  let api: string | (() => string) = '';
  let sandbox: FaultSandbox | undefined;
  const caller = createCaller(() => (typeof api === 'string' ? api : api()), key);
  const states = (): Promise<Record<string, number>> => readStates(db);
  return {
    engine,
    seed,
    random: seeded(seed),
    databaseUrl,
    redisUrl,
    redis,
    group,
    postgres,
    db,
    key,
    env,
    folder,
    bill,
    caller,
    members,
    async start(part, given) {
      const member = await fleet.start(part, env, given);
      if (part === 'api' && api === '') api = `http://127.0.0.1:${env['STORYTIME_API_PORT'] ?? ''}`;
      return member;
    },
    async startSandbox(given) {
      Object.assign(env, await sandboxPorts());
      sandbox = sandboxOf(await fleet.start('sandbox', env, given), env);
      return sandbox;
    },
    callVia: (url) => void (api = url),
    ...planOf(folder),
    states,
    settled: (limitMs) => untilSettled(states, limitMs),
    hasten: async () => void (await db.run(hasten, [])),
    async check(names, given) {
      const vendors = ((await sandbox?.bill()) ?? []).flatMap(({ step, at }) =>
        step === undefined ? [] : { step, at: Date.parse(at) },
      );
      const charged = [...bill.entries, ...vendors, ...(given?.alsoCharged ?? [])];
      const disagreement = () => disagreementOf({ db, databaseUrl, redisUrl });
      const texts = names.includes('I12') ? await metricsOf(members, key) : [];
      return checkInvariants(
        { db, caller, charged, members, texts, disagreement, attemptsOf, canaries: canariesOf(key) },
        names,
        given,
      );
    },
    close: () => closeWorld({ fleet, bill, db, stores, folder }),
  };
}

/** What live processes tell a Prometheus. */
async function metricsOf(members: readonly Member[], key: string): Promise<string[]> {
  const speaking = members.filter(
    ({ alive, apart, url, name }) => alive && !apart && url !== '' && /^(api|work)/.test(name),
  );
  return Promise.all(
    speaking.map(async ({ url, name }) => {
      const { status, body } = await readiness(url, '/metrics', { authorization: `Bearer ${key}` });
      if (status !== 200) throw new Error(`${name} tells no metrics: ${status} ${body}`);
      return body;
    }),
  );
}

function attemptsOf(kind: string): number {
  return (faultRegistry.find(kind) ?? registry.find(kind))?.retry.attempts ?? 0;
}

async function readStates(db: Db): Promise<Record<string, number>> {
  const rows = await db.run<{ state: string; count: number }>(countStates, []);
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/** Put into payloads by rows; found in a log, a metric or a problem, it fails the row. */
export const canary = 'canary-child-Ottilie-ottilie@example.com';

function canariesOf(key: string): string[] {
  return [canary, 'Ottilie', key.slice(12)];
}

async function environmentOf(given: {
  folder: string;
  databaseUrl: string;
  redisUrl: string | undefined;
  billUrl: string;
  timers: Record<string, string>;
}): Promise<Record<string, string>> {
  const home = join(given.folder, 'home');
  mkdirSync(home, { recursive: true });
  const port = String((await freePort(0)) ?? 0);
  return {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: given.databaseUrl,
    ...(given.redisUrl !== undefined && { REDIS_URL: given.redisUrl }),
    STORYTIME_HOME: home,
    STORYTIME_SANDBOX: 'on',
    STORYTIME_API_PORT: port,
    STORYTIME_WORK_PORT: '0',
    STORYTIME_LINK_SECRET: 'a-secret-of-the-fault-rows-0123456789',
    FAULTS_BILL_URL: given.billUrl,
    ...scaledTimers,
    ...given.timers,
  };
}

async function untilSettled(states: World['states'], limitMs: number): Promise<number> {
  const start = performance.now();
  let open: Record<string, number> = {};
  await eventually(
    'every job has ended',
    async () => {
      const now = await states();
      open = Object.fromEntries(Object.entries(now).filter(([state]) => openStates.has(state)));
      return Object.keys(open).length === 0;
    },
    limitMs,
  ).catch((thrown: unknown) => {
    throw new Error(`jobs are still open: ${JSON.stringify(open)}`, { cause: thrown });
  });
  return performance.now() - start;
}

async function closeWorld(parts: {
  fleet: Fleet;
  bill: Bill;
  db: Db;
  stores: Stores;
  folder: string;
}): Promise<void> {
  await parts.fleet.close();
  await parts.bill.close();
  await parts.db.close();
  await parts.stores.close();
  await removeFolder(parts.folder);
}
