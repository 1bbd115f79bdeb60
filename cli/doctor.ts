// `storytime doctor`: everything a system needs, looked at once, every problem told at once. Changes nothing.
import { existsSync } from 'node:fs';
import { toError } from '../shared/errors.ts';
import { openDb } from '../ledger/db.ts';
import { readGates } from '../ledger/gates.ts';
import { readServerFacts } from '../ledger/server-facts.ts';
import * as checks from './doctor-checks.ts';
import { configuration, type Configured } from './doctor-config.ts';
import { embeddedFolder, openDatabase } from './parts.ts';
import { json, painter, plain, type Paint, type Terminal } from './terminal.ts';

type Verdict = checks.Verdict;

const noDatabase = 'there is none yet';

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
    terminal.err(summary(verdicts, failed));
  }
  return failed === 0 ? 0 : 1;
}

/** Somebody on call in a shell of their own has none of the settings of the parts: that all is well there says nothing. */
function summary(verdicts: readonly Verdict[], failed: number): string {
  if (failed > 0) return `${failed} of ${verdicts.length} checks failed.\n`;
  if (verdicts.every(({ detail }) => detail !== noDatabase)) return 'Nothing stands in the way.\n';
  return 'Nothing stands in the way of `storytime up`. For a system that runs elsewhere, set what its parts are set to.\n';
}

const marks = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const;

function line({ check, status, detail, hint }: Verdict, paint: Paint): string {
  const [style, mark] = marks[status];
  const todo = hint === undefined ? '' : `; ${hint}`;
  return `${paint(style, mark)} ${check.padEnd(19)} ${plain(detail)}${todo}\n`;
}

async function examine({ env }: Terminal): Promise<Verdict[]> {
  const found = configuration(env);
  const { config, wrong, verdicts } = found;
  // One after the other: loading the providers' packages would hold up the clock's measurement.
  const ofDatabase = wrong.has('DATABASE_URL') ? [] : await database(found);
  const ofRedis = config.REDIS_URL === undefined ? [] : await checks.engine(config, '');
  return [...verdicts, ...ofDatabase, ...ofRedis, ...(await checks.providers(config, wrong))];
}

async function database(found: Configured): Promise<Verdict[]> {
  const { config } = found;
  const check = 'database';
  if (config.DATABASE_URL === undefined && !existsSync(embeddedFolder(config)))
    return [
      {
        check,
        status: 'warn',
        detail: noDatabase,
        hint: 'set DATABASE_URL, or let `storytime up` make one',
      },
    ];
  try {
    const server = await openDatabase(config);
    try {
      return await examineDatabase(found, server);
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
  { config, wrong }: Configured,
  { url, embedded }: { url: string; embedded: boolean },
): Promise<Verdict[]> {
  const db = openDb({ url, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    const facts = await readServerFacts(db);
    const migrated = await checks.migrations(url);
    const major = Number.parseInt(facts.version, 10);
    const engineKnown = !wrong.has('REDIS_URL');
    const detail = `PostgreSQL ${facts.version}${embedded ? ', embedded' : ''}`;
    return [
      major >= 13
        ? { check: 'database', status: 'ok', detail }
        : { check: 'database', status: 'fail', detail, hint: 'version 13 or later is needed' },
      migrated,
      checks.clock(facts),
      ...(engineKnown ? [checks.connections(config, facts)] : []),
      checks.synchronousCommit(facts),
      ...(migrated.status === 'ok' ? [checks.gates((await readGates(db)).gates)] : []),
      ...(engineKnown && config.REDIS_URL === undefined ? await checks.engine(config, url) : []),
    ];
  } finally {
    await db.close();
  }
}
