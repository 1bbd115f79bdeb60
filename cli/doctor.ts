// `storytime doctor`: everything a system needs, looked at once, every problem told at once. Changes nothing.
import { existsSync } from 'node:fs';
import { loadConfig, type Config } from '../shared/config.ts';
import { ConfigError, toError } from '../shared/errors.ts';
import { openDb } from '../ledger/db.ts';
import { readServerFacts } from '../ledger/server-facts.ts';
import * as checks from './doctor-checks.ts';
import { readNote } from './home.ts';
import { embeddedFolder, openDatabase } from './parts.ts';
import { json, painter, plain, type Paint, type Terminal } from './terminal.ts';

type Verdict = checks.Verdict;

/** Resolves with the exit code: 1 when a check failed. */
export async function runDoctor(
  terminal: Terminal,
  flags: { json?: boolean; color?: boolean },
): Promise<number> {
  const verdicts = await examine(terminal);
  const failed = verdicts.filter(({ status }) => status === 'fail').length;
  if (flags.json === true) terminal.out(json({ ok: failed === 0, checks: verdicts }));
  else {
    const paint = painter(terminal, flags.color === false);
    terminal.out(verdicts.map((verdict) => line(verdict, paint)).join(''));
    terminal.err(
      failed === 0 ? 'Nothing stands in the way.\n' : `${failed} of ${verdicts.length} checks failed.\n`,
    );
  }
  return failed === 0 ? 0 : 1;
}

const marks = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const;

function line({ check, status, detail, hint }: Verdict, paint: Paint): string {
  const [style, mark] = marks[status];
  const todo = hint === undefined ? '' : `; ${hint}`;
  return `${paint(style, mark)} ${check.padEnd(19)} ${plain(detail)}${todo}\n`;
}

async function examine(terminal: Terminal): Promise<Verdict[]> {
  const found = configuration(terminal);
  if (found.config === undefined) return found.verdicts;
  const { config } = found;
  // One after the other: loading the providers' packages would hold up the clock's measurement.
  const ofDatabase = await database(config);
  return [...found.verdicts, ...ofDatabase, ...(await checks.providers(config))];
}

/** The settings as the running system of this folder has them, where the environment leaves them open. */
function configuration({ env }: Terminal): { config?: Config; verdicts: Verdict[] } {
  try {
    const config = loadConfig(env);
    const verdict = {
      check: 'configuration',
      status: 'ok',
      detail: `${config.NODE_ENV}, sandbox ${config.STORYTIME_SANDBOX}`,
    } as const;
    const warnings = config.warnings.map((detail): Verdict => ({
      check: 'configuration',
      status: 'warn',
      detail,
    }));
    return { config: withRunning(config), verdicts: [verdict, ...warnings] };
  } catch (thrown) {
    const problems = thrown instanceof ConfigError ? thrown.problems : [toError(thrown).message];
    return { verdicts: problems.map((detail) => ({ check: 'configuration', status: 'fail', detail })) };
  }
}

function withRunning(config: Config): Config {
  const found = readNote(config.STORYTIME_HOME);
  if (found?.alive !== true) return config;
  const { databaseUrl, mailbox } = found.note;
  const sandbox = mailbox === null ? {} : { STORYTIME_SANDBOX_URL: new URL(mailbox).origin };
  return { ...config, ...sandbox, DATABASE_URL: config.DATABASE_URL ?? databaseUrl };
}

async function database(config: Config): Promise<Verdict[]> {
  const check = 'database';
  if (config.DATABASE_URL === undefined && !existsSync(embeddedFolder(config)))
    return [
      {
        check,
        status: 'warn',
        detail: 'there is none yet',
        hint: 'set DATABASE_URL, or let `storytime up` make one',
      },
    ];
  try {
    const server = await openDatabase(config);
    try {
      return await examineDatabase(config, server);
    } finally {
      await server.stop();
    }
  } catch (thrown) {
    const hint =
      config.DATABASE_URL === undefined ? 'see the message' : 'check DATABASE_URL and that the server runs';
    return [{ check, status: 'fail', detail: toError(thrown).message, hint }];
  }
}

async function examineDatabase(
  config: Config,
  { url, embedded }: { url: string; embedded: boolean },
): Promise<Verdict[]> {
  const db = openDb({ url, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    const facts = await readServerFacts(db);
    const major = Number.parseInt(facts.version, 10);
    const detail = `PostgreSQL ${facts.version}${embedded ? ', embedded' : ''}`;
    return [
      major >= 13
        ? { check: 'database', status: 'ok', detail }
        : { check: 'database', status: 'fail', detail, hint: 'version 13 or later is needed' },
      await checks.migrations(url),
      checks.clock(facts),
      checks.connections(config, facts),
      checks.synchronousCommit(facts),
      ...(await checks.engine(config, url)),
    ];
  } finally {
    await db.close();
  }
}
