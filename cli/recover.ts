// `storytime recover`: gives the engine everything again that it has lost. Work processes do this by themselves; this is for
// who wants to see it, or not to wait. May run twice, beside live workers, and beside their own recovery.
import { loadConfig, type Config } from '../shared/config.ts';
import { doubtOf, underNewEpoch } from '../ledger/epoch.ts';
import { recoverAll, type Recovered } from '../ledger/recover-all.ts';
import { withComparison, type Comparison } from './comparison.ts';
import { CliError } from './exit.ts';
import { readNote } from './home.ts';
import { openDatabase } from './parts.ts';
import { json, type Terminal } from './terminal.ts';

export interface RecoverFlags {
  /** Tells what would be done. */
  dryRun?: boolean;
  json?: boolean;
}

export async function runRecover(terminal: Terminal, flags: RecoverFlags): Promise<void> {
  const config = loadConfig(terminal.env);
  refuseOtherEngine(config);
  const database = await openDatabase(config, (line) => terminal.err(`${line}\n`));
  try {
    const found = await withComparison(config, database.url, (comparison) =>
      flags.dryRun === true ? recoverAll({ ...comparison, dryRun: true }) : recover(comparison),
    );
    terminal.out(
      flags.json === true ? json({ dryRun: flags.dryRun === true, ...found }) : textOf(found, flags),
    );
  } finally {
    await database.stop();
  }
}

/** A canary that agrees stays; any other is replaced, so that work processes need not compare everything once more. */
async function recover(comparison: Comparison): Promise<Recovered> {
  const { db, broker } = comparison;
  // Its memory is looked at with each ping, also with one that it refuses: a full one is given nothing (decision 0008).
  const afterPage = (): Promise<void> => broker.ping().catch(() => undefined);
  const recoverThem = (): Promise<Recovered> => recoverAll({ ...comparison, afterPage });
  await afterPage();
  const doubt = await doubtOf(db, broker);
  return doubt === undefined ? recoverThem() : underNewEpoch(db, broker, recoverThem);
}

/** Compared with an engine that nobody works on, every job would look lost. */
function refuseOtherEngine(config: Config): void {
  const running = readNote(config.STORYTIME_HOME);
  const ours = config.REDIS_URL === undefined ? 'postgres' : 'redis';
  if (running?.alive !== true || running.note.engine === ours || config.DATABASE_URL !== undefined) return;
  const todo = running.note.engine === 'redis' ? 'set the REDIS_URL it was started with' : 'unset REDIS_URL';
  throw new CliError(
    'wrongUse',
    `the system that runs in ${config.STORYTIME_HOME} has its engine elsewhere; ${todo}`,
  );
}

function textOf({ compared, forgotten, broughtBack }: Recovered, { dryRun }: RecoverFlags): string {
  if (forgotten.length === 0)
    return `Nothing is lost: the engine holds all ${compared} jobs that it was given and that have not begun.\n`;
  const rows = forgotten.map(
    ({ queue, state, jobs }) => `  ${queue.padEnd(20)} ${state.padEnd(10)} ${jobs}\n`,
  );
  const lost = forgotten.reduce((sum, { jobs }) => sum + jobs, 0);
  const done =
    dryRun === true
      ? 'Nothing was changed; without --dry-run they are given to it again.'
      : `${broughtBack} were given to it again; others moved on by themselves, or follow as soon as it has room.`;
  return `The engine has lost ${lost} of ${compared} jobs:\n${rows.join('')}${done}\n`;
}
