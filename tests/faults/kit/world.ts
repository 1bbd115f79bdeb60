// Everything a row has: a database of its own, a Redis of its own (on that engine), a fleet of real processes with scaled
// timers, a caller, a bill, seeded chance. `closeWorld` leaves nothing behind.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDb, type Db } from '../../../ledger/db.ts';
import { freePort } from '../../../ledger/embedded/port.ts';
import { createKey } from '../../../ledger/keys.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';
import { eventually } from '../../support/house.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startBill, type Bill } from './bill.ts';
import { checkInvariants, type CheckOptions, type Counts, type Invariant } from './check.ts';
import { createCaller, type Caller } from './client.ts';
import { createFleet, type Fleet, type Member, type MemberOptions, type PartName } from './fleet.ts';

export type EngineName = 'redis' | 'postgres';

/** An entry of the plan that kit/preload.js follows. */
export interface Stop {
  point: 'enqueue.committed' | 'dispatch.added' | 'attempt.begun' | 'step.answered' | 'attempt.finishing';
  action: 'kill' | 'stop';
  nth?: number;
  times?: number;
  kind?: string;
  step?: string;
}

export interface World {
  engine: EngineName;
  seed: number;
  /** 0 to 1, the same for the same seed. */
  random: () => number;
  database: TestDatabase;
  redis: TestRedis | undefined;
  /** The row's own way to the ledger, past every proxy. */
  db: Db;
  /** What every process is started with. */
  env: Record<string, string>;
  folder: string;
  bill: Bill;
  caller: Caller;
  members: readonly Member[];
  /** Starts a process; the first api is the one the caller speaks to. */
  start: (part: PartName, options?: MemberOptions) => Promise<Member>;
  /** Sends the caller to another address, e.g. a proxy's. */
  callVia: (url: string) => void;
  /** Told the processes that were started with `planned()` in their environment; may change while they run. */
  plan: (stops: readonly Stop[]) => void;
  /** The environment that makes a process follow the plan. */
  planned: () => Record<string, string>;
  /** The moments at which the plan stopped a process. */
  fired: () => { point: string; jobId: string; step?: string; pid: number; at: number }[];
  /** Moves the clock of processes started with this environment: `set` takes effect within a second. */
  clock: (name: string) => { env: Record<string, string>; set: (aheadMs: number) => void };
  /** Rows of one state of the ledger, by name. */
  states: () => Promise<Record<string, number>>;
  /** Waits until no job is open; resolves with the milliseconds it took. */
  settled: (limitMs: number) => Promise<number>;
  check: (invariants: readonly Invariant[], options?: CheckOptions) => Promise<Counts>;
}

export interface WorldOptions {
  engine: EngineName;
  seed: number;
  /** Other timers than the scaled ones. */
  timers?: Record<string, string>;
  /** More arguments of redis-server. */
  redisArgs?: readonly string[];
}

const scaledTimers = {
  STORYTIME_LEASE_MS: '2000',
  STORYTIME_RENEW_MS: '500',
  STORYTIME_SWEEP_MS: '500',
  STORYTIME_GRACE_MS: '3000',
};

const preload = pathToFileURL(join(process.cwd(), 'tests/faults/kit/preload.js')).href;
const countStates = {
  name: 'world_states',
  text: 'SELECT state::text, count(*)::int AS count FROM job GROUP BY state',
};
const openStates = new Set(['blocked', 'scheduled', 'waiting', 'running', 'retrying', 'snoozed', 'parked']);

export async function openWorld({
  engine,
  seed,
  timers = scaledTimers,
  redisArgs = [],
}: WorldOptions): Promise<World & { close: () => Promise<void> }> {
  const folder = await createFolder();
  const database = await createDatabase();
  const redis = engine === 'redis' ? await startRedis({ args: [...redisArgs] }) : undefined;
  const bill = await startBill();
  const db = openDb({ url: database.url, poolSize: 4, statementTimeoutMs: 20_000, emit: () => undefined });
  const { key } = await createKey(db, { name: 'row', tenant: 'faults', scopes: ['admin'] });
  const env = await environmentOf({
    folder,
    databaseUrl: database.url,
    redisUrl: redis?.url,
    billUrl: bill.url,
    timers,
  });
  const fleet = createFleet(preload);
  let api = '';
  const caller = createCaller(() => api, key);
  const states = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await db.run<{ state: string; count: number }>(countStates, [])).map(({ state, count }) => [
        state,
        count,
      ]),
    );
  return {
    engine,
    seed,
    random: seeded(seed),
    database,
    redis,
    db,
    env,
    folder,
    bill,
    caller,
    members: fleet.members,
    async start(part, options) {
      const member = await fleet.start(part, env, options);
      if (part === 'api' && api === '') api = `http://127.0.0.1:${env['STORYTIME_API_PORT'] ?? ''}`;
      return member;
    },
    callVia: (url) => void (api = url),
    ...planOf(folder),
    clock: (name) => clockOf(join(folder, `clock-${name}`)),
    states,
    settled: (limitMs) => untilSettled(states, limitMs),
    check: (names, options) =>
      checkInvariants(
        { db, caller, bill, members: fleet.members, canaries: canariesOf(key) },
        names,
        options,
      ),
    close: () => closeWorld({ fleet, bill, db, redis, database, folder }),
  };
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
    ...given.timers,
  };
}

function planOf(folder: string): Pick<World, 'plan' | 'planned' | 'fired'> {
  const file = join(folder, 'plan.json');
  return {
    plan: (stops) => writeFileSync(file, JSON.stringify(stops)),
    planned: () => ({ FAULTS_PLAN: file }),
    fired() {
      try {
        const lines = readFileSync(`${file}.fired`, 'utf8').split('\n').filter(Boolean);
        return lines.map((line) => JSON.parse(line) as ReturnType<World['fired']>[number]);
      } catch {
        return []; // none yet
      }
    },
  };
}

function clockOf(file: string): ReturnType<World['clock']> {
  return { env: { FAULTS_CLOCK: file }, set: (aheadMs) => writeFileSync(file, String(aheadMs)) };
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
  redis: TestRedis | undefined;
  database: TestDatabase;
  folder: string;
}): Promise<void> {
  await parts.fleet.close();
  await parts.bill.close();
  await parts.db.close();
  await parts.redis?.stop();
  await parts.database.drop();
  await removeFolder(parts.folder);
}

/** mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
