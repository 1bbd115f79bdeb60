// A throwaway system for `storytime drill`: an embedded PostgreSQL, the sandbox, an API and a work process as in production, in
// a folder of their own, and on Redis a server of its own that keeps nothing. None of it outlives this process, even a killed one.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { loadConfig, type Config, type Environment } from '../shared/config.ts';
import { loseEngine, migrateEngine } from '../engine/schema.ts';
import { openDb } from '../ledger/db.ts';
import { ensureKey } from '../ledger/keys.ts';
import { migrate } from '../ledger/migrate.ts';
import { startChild, type Child } from './child.ts';
import { ensureSecret } from './home.ts';
import { openDatabase } from './parts.ts';
import type { PartName } from './process.ts';
import { findPort } from './ports.ts';
import { thisProgram } from './this-program.ts';
import { choosePorts, partEnvironment } from './up-plan.ts';

export interface DrillSystem {
  config: Config;
  databaseUrl: string;
  api: string;
  key: string;
  sandbox: string;
  /** Loses everything the engine has, and brings it back empty. */
  lose: () => Promise<void>;
}

export interface DrillSystemOptions {
  /** A folder that is the system's alone. */
  home: string;
  redis: boolean;
  /** Registers what must be stopped; the last one first. */
  onStop: (name: string, stop: () => Promise<void> | void) => void;
  say: (line: string) => void;
}

/** As long as a FLUSHALL, which no connection notices, may stay unseen here. By default it is half a minute. */
const reconcileMs = 2_000;

export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export async function startDrillSystem(options: DrillSystemOptions): Promise<DrillSystem> {
  const { home, onStop, say } = options;
  const redis = options.redis ? await startRedis(home) : undefined;
  if (redis !== undefined) onStop('Redis', redis.end);
  const env = environmentOf(home, redis?.url);
  const config = loadConfig(env);
  const database = await openDatabase(config, say);
  onStop('PostgreSQL', database.stop);
  const key = await prepare(config, database.url, home);
  const ports = await choosePorts(config, env, { port: 0 }, 0);
  const linkSecret = ensureSecret(home, 'link-secret');
  const partEnv = partEnvironment(config, env, ports, { databaseUrl: database.url, linkSecret });
  const start = (part: PartName): Child => {
    const child = startChild({ part, program: thisProgram(), env: partEnv, onLine: () => undefined, say });
    onStop(part, () => child.stop(7_000));
    return child;
  };
  const [sandbox, api] = await Promise.all(
    [start('sandbox'), start('api'), start('work')].map((one) => one.ready),
  );
  const lose = redis === undefined ? async () => loseEngine(database.url) : redis.restart;
  return { config, databaseUrl: database.url, api: api ?? '', key, sandbox: sandbox ?? '', lose };
}

/** Nothing of the caller's own: no database, no Redis, no key of a provider can be reached from here. */
function environmentOf(home: string, redisUrl: string | undefined): Environment {
  return {
    STORYTIME_HOME: home,
    STORYTIME_SANDBOX: 'on',
    STORYTIME_RECONCILE_MS: String(reconcileMs),
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
  };
}

async function prepare(config: Config, databaseUrl: string, home: string): Promise<string> {
  await migrate(databaseUrl);
  if (config.REDIS_URL === undefined) await migrateEngine(databaseUrl);
  const key = ensureSecret(home, 'key');
  const db = openDb({ url: databaseUrl, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    await ensureKey(db, { name: 'drill', tenant: 'drill', scopes: ['admin'], key });
  } finally {
    await db.close();
  }
  return key;
}

interface Redis {
  url: string;
  /** kill -9, and a new one that has nothing. */
  restart: () => Promise<void>;
  end: () => Promise<void>;
}

// The shell reads until its input closes, by us or by our death, and then kills the server.
const keeper = 'redis-server "$@" >/dev/null & read _; kill -9 $!; wait $! 2>/dev/null';

async function startRedis(home: string): Promise<Redis> {
  const port = await findPort(
    { setting: 'REDIS_URL', port: 0, chosen: false },
    { host: '127.0.0.1', patienceMs: 0 },
  );
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    home,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const launch = () =>
    spawn('sh', ['-c', keeper, 'redis', ...settings], { stdio: ['pipe', 'ignore', 'ignore'] });
  let server = launch();
  const end = async (): Promise<void> => {
    const gone = once(server, 'exit');
    server.stdin.end();
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    end,
    async restart() {
      await end();
      server = launch();
    },
  };
}
