// `storytime up`: the whole system as one process tree, for development: database, sandbox, API, work, dashboard.
// Stopped by one Ctrl-C within ten seconds, sandbox and database last; killed, it leaves no orphan and loses no job.
import { join } from 'node:path';
import { loadConfig, type Config, type Environment } from '../shared/config.ts';
import { createEvents } from '../shared/events.ts';
import { createLifecycle, stopOnSignals, type Lifecycle } from '../shared/lifecycle.ts';
import { migrateEngine } from '../engine/schema.ts';
import { openDb } from '../ledger/db.ts';
import { ensureKey } from '../ledger/keys.ts';
import { migrate } from '../ledger/migrate.ts';
import { startChild, type Child } from './child.ts';
import { deferred } from './deferred.ts';
import { CliError } from './exit.ts';
import {
  claimHome,
  ensureSecret,
  makeHome,
  makeLogs,
  readNote,
  releaseHome,
  writeNote,
  type UpNote,
} from './home.ts';
import { openLogFile } from './log-file.ts';
import { linkSecretOf, openDatabase } from './parts.ts';
import type { PartName } from './process.ts';
import { json, painter, type Paint, type Terminal } from './terminal.ts';
import { thisProgram } from './this-program.ts';
import { lineReader } from './up-lines.ts';
import { choosePorts, needsSandbox, partEnvironment, withOptions, type UpOptions } from './up-plan.ts';
import { witness } from './up-witness.ts';
import { welcome } from './up-print.ts';

interface Up {
  config: Config;
  env: Environment;
  options: UpOptions;
  home: string;
  logs: string;
  terminal: Terminal;
  paint: Paint;
  lifecycle: Lifecycle;
  say: (message: string) => void;
}

const stopWithinMs = 10_000;
/** A note that was left behind: an earlier `up` was killed, and its parts may need this long to leave their ports. */
const stalePatienceMs = 5_000;
/** Parts that are told to stop get this long; what is left is for the sandbox and the database. */
const partPatienceMs = 7_000;

/** Resolves with the exit code, when everything has stopped. */
export async function runUp(terminal: Terminal, options: UpOptions & { color?: boolean }): Promise<number> {
  const env = withOptions(terminal.env, options);
  const config = loadConfig(env);
  const home = makeHome(config.STORYTIME_HOME);
  const logs = makeLogs(home);
  const patienceMs = readNote(home) === undefined ? 0 : stalePatienceMs;
  claim(home);
  const paint = painter(terminal, options.color === false);
  const say = (message: string): void => terminal.err(`${paint('dim', message)}\n`);
  const ended = deferred<number>();
  const events = createEvents();
  events.on('notice', ({ message }) => say(message));
  const lifecycle = createLifecycle({
    emit: events.emit,
    deadlineMs: stopWithinMs,
    partMs: stopWithinMs,
    exit: ended.resolve,
  });
  lifecycle.onStop('the claim', () => releaseHome(home));
  stopOnSignals(lifecycle);
  for (const message of config.warnings) say(message);
  const up = { config, env, options, home, logs, terminal, paint, lifecycle, say };
  const starting = startAll(up, patienceMs);
  try {
    // A stop in the middle of the start can leave it waiting for what will never come.
    await Promise.race([starting, ended.promise.then(() => Promise.reject(stoppedEarly()))]);
  } catch (thrown) {
    const asked = lifecycle.stopping;
    await lifecycle.stop('the start failed');
    throw asked ? stoppedEarly() : thrown;
  }
  return ended.promise;
}

function claim(home: string): void {
  const running = readNote(home);
  const owner = running?.alive === true ? running.note.pid : claimHome(home)?.owner;
  if (owner === undefined) return;
  const why = `storytime up is already running on ${home} (process ${owner})`;
  throw new CliError('wrongUse', `${why}; stop that one first`);
}

async function startAll(up: Up, patienceMs: number): Promise<void> {
  const { config, env, options, home, lifecycle, say } = up;
  if (config.DATABASE_URL === undefined) say('starting the embedded PostgreSQL …');
  const database = await openDatabase(config, say);
  lifecycle.onStop('PostgreSQL', database.stop);
  const key = await prepare(up, database.url);
  if (lifecycle.stopping) throw stoppedEarly();
  // As late as possible: between finding a port free and a part taking it, somebody else may.
  const ports = await choosePorts(config, env, options, patienceMs);
  const secrets = { databaseUrl: database.url, linkSecret: linkSecretOf(config) };
  const partEnv = partEnvironment(config, env, ports, secrets);
  const start = starter(up, partEnv, database.url);

  let mailbox: string | null = null;
  if (needsSandbox(config, options)) {
    const sandbox = start('sandbox');
    lifecycle.onStop('the sandbox', () => sandbox.stop(1_500));
    mailbox = `${await ready(up, sandbox)}/mailbox`;
  }
  const parts = [start('api'), start('work'), start('dashboard')] as const;
  lifecycle.onStop(
    'the parts',
    async () => void (await Promise.all(parts.map((part) => part.stop(partPatienceMs)))),
  );
  const [api, , dashboard] = await Promise.all(parts.map((part) => ready(up, part)));
  const engine = config.REDIS_URL === undefined ? 'postgres' : 'redis';
  const note = {
    api: api ?? '',
    dashboard: dashboard ?? '',
    mailbox,
    key,
    engine,
    databaseUrl: database.url,
    pid: process.pid,
  } as const;
  writeNote(home, note);
  announce(up, note);
}

/** Tables and the development key. Returns the key. */
async function prepare({ config, home, say }: Up, databaseUrl: string): Promise<string> {
  const { applied } = await migrate(databaseUrl);
  if (applied.length > 0) say(`migrated the ledger: ${applied.join(', ')}`);
  if (config.REDIS_URL === undefined) await migrateEngine(databaseUrl);
  const key = ensureSecret(home, 'key');
  const db = openDb({ url: databaseUrl, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    await ensureKey(db, { name: 'development', tenant: 'storytime', scopes: ['admin'], key });
  } finally {
    await db.close();
  }
  return key;
}

function starter(
  { logs, terminal, paint, say }: Up,
  env: Environment,
  databaseUrl: string,
): (part: PartName) => Child {
  return (part) => {
    const file = openLogFile(join(logs, `${part}.log`), say);
    const read = lineReader(part, paint);
    const onLine = (line: string): void => {
      file.write(line);
      const shown = read(line);
      if (shown !== undefined) terminal.err(`${shown}\n`);
    };
    const child = { part, program: thisProgram(), env, onLine, say };
    return startChild(part === 'work' ? { ...child, onEnd: witness(databaseUrl) } : child);
  };
}

/** The part's address; a stop that was asked for meanwhile ends the start. */
async function ready({ lifecycle }: Up, child: Child): Promise<string> {
  const url = await child.ready;
  if (lifecycle.stopping) throw stoppedEarly();
  return url;
}

function stoppedEarly(): CliError {
  return new CliError('interrupted', 'stopped before everything was up');
}

function announce({ terminal, options, paint }: Up, note: UpNote): void {
  if (options.json === true) terminal.out(json(note));
  else terminal.out(welcome(note, programName(), paint));
}

function programName(): string {
  return import.meta.url.endsWith('.js') ? 'node dist/cli/main.js' : 'npx tsx cli/main.ts';
}
