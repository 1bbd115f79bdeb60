// The quarantine lane's process, from the side of a work process: the same program started as `work --lane`, watched, and
// never missed. When it ends by itself this process is the witness, whose word makes the job in it guilty.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import type { Environment } from '../shared/config.ts';
import type { Emit } from '../shared/events.ts';
import { growingPause } from '../shared/growing-pause.ts';
import { workerDied } from '../ledger/crashes.ts';
import type { Db } from '../ledger/db.ts';
import type { Lane } from '../workers/quarantine.ts';
import type { LaneMessage } from './process.ts';

export interface LaneOptions {
  db: Db;
  emit: Emit;
  env: Environment;
  graceMs: number;
  /** How long its process may hold the lane without a sign of life, in ms. */
  leadMs: number;
  /** Told when its process has ended, and the ledger knows how. */
  ended: () => void;
}

/** A start that takes longer hangs. */
const startMs = 30_000;
const firstPauseMs = 2_000;

interface Run {
  child: ChildProcess;
  /** performance.now() of the fork, then of the moment it could be used. */
  since: number;
  ready: boolean;
  /** The last it wrote to standard error: Node says there why it gives up. */
  words: string;
  fault: string | undefined;
  /** We ended it: what it ran is not to blame. */
  told: boolean;
}

export function createLane(options: LaneOptions): Lane {
  let current: Run | undefined;
  const pauses = createPauses();
  /** performance.now() of the first of the rounds in a row in which it was silent. */
  let silentSince: number | undefined;
  let stopping = false;

  function launch(): void {
    const run = startRun(options);
    current = run;
    run.child.once('exit', (code, signal) => {
      current = undefined;
      pauses.note(run.ready);
      if (!stopping && !run.told && code !== 0) void witness(options, run, signal ?? `exit code ${code}`);
      else if (!stopping) options.ended();
    });
    run.child.once('error', () => {
      if (run.child.pid !== undefined) return;
      current = undefined; // without a process there is no exit either
      pauses.note(false);
    });
  }

  return {
    ensure(wanted) {
      silentSince = wanted ? (silentSince ?? performance.now()) : undefined;
      if (silentSince === undefined || stopping || !pauses.over()) return;
      if (current === undefined) return launch();
      // It should hold the lane and does not: its event loop stands still. Nobody can say whose fault that is.
      const patienceMs = current.ready ? options.leadMs : startMs;
      if (performance.now() - Math.max(current.since, silentSince) < patienceMs) return;
      current.told = true;
      current.child.kill('SIGKILL');
    },
    async stop() {
      stopping = true;
      if (current !== undefined) await end(current.child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** Whether the next start may be: at once after one that could be used, later after each one in a row that could not. */
function createPauses(): { note: (ready: boolean) => void; over: () => boolean } {
  let next = growingPause(firstPauseMs);
  let until = 0;
  return {
    note(ready) {
      if (ready) next = growingPause(firstPauseMs);
      else until = performance.now() + next(0);
    },
    over: () => performance.now() >= until,
  };
}

function startRun({ env, graceMs, emit }: LaneOptions): Run {
  const child = fork(process.argv[1] ?? '', ['work', '--lane'], {
    // It has to be gone before its parent is, and nobody balances load in front of it.
    env: {
      ...env,
      STORYTIME_GRACE_MS: String(Math.max(100, Math.round(graceMs * 0.7))),
      STORYTIME_DRAIN_MS: '0',
    },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    // Out of the terminal's process group: Ctrl-C reaches its parent alone, which ends it in order.
    detached: process.platform !== 'win32',
  });
  const run: Run = {
    child,
    since: performance.now(),
    ready: false,
    words: '',
    fault: undefined,
    told: false,
  };
  child.on('message', (message: LaneMessage) => {
    if (message.type === 'fault') run.fault = message.message;
    else Object.assign(run, { ready: true, since: performance.now() });
  });
  child.on('error', (error) =>
    emit('notice', { level: 'error', message: `the quarantine lane did not start: ${error.message}` }),
  );
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    run.words = (run.words + text).slice(-4_000);
  });
  return run;
}

async function witness({ db, emit, ended }: LaneOptions, run: Run, how: string): Promise<void> {
  const fatal = /FATAL ERROR: (.*)/.exec(run.words)?.[1];
  const reason = [how, run.fault ?? fatal].filter((text) => text !== undefined).join(': ');
  emit('notice', { level: 'warn', message: `the quarantine lane's process ended: ${reason}` });
  // With the ledger away only its silence speaks, later.
  await workerDied(db, { host: hostname(), pid: run.child.pid ?? 0, reason }).catch(() => undefined);
  ended();
}
