// The processes of a row: real ones, started as an operator would, killed and stopped by pid, started again as a supervisor
// would. Everything they wrote is kept, over all their lives. None outlives the row, or the test's process.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type PartName = 'api' | 'work' | 'dashboard' | 'sandbox';

export interface MemberOptions {
  /** `fixture`: the kinds of programs/kinds.ts; `storytime`: the real ones. Default fixture. */
  kinds?: 'fixture' | 'storytime';
  /** Folder of another build whose dist is run (n-1/builds.ts); default this one. */
  build?: string;
  /** On top of the row's environment. */
  env?: Record<string, string>;
  /** Flags for node, e.g. `--max-old-space-size=128`. */
  nodeArgs?: readonly string[];
  /** Words before its command, e.g. `ip netns exec a-name` (namespace.ts). They must become the process, not start one. */
  within?: readonly string[];
  /** Start it again, 200 ms after each end that the row did not ask for with `term`. Default false. */
  supervised?: boolean;
  /** False: `start` does not wait until it is ready. */
  wait?: boolean;
}

/** How and when (Date.now()) one of its lives ended. */
export interface End {
  pid: number;
  code: number | null;
  signal: string | null;
  at: number;
}

export interface Member {
  name: string;
  /** Address it told when it became ready; of a work process its probes. */
  readonly url: string;
  readonly pid: number;
  readonly alive: boolean;
  /** It runs where this process's network does not reach. */
  apart: boolean;
  /** Everything all its lives wrote, line by line. */
  lines: readonly string[];
  ends: readonly End[];
  /** SIGKILL; resolves when it is gone. A supervised one comes back. */
  kill: () => Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause: () => void;
  resume: () => void;
  /** SIGTERM (or another one), not started again; resolves with its exit code, null when a signal ended it. */
  term: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Starts it again after `kill` or `term`. */
  start: () => Promise<void>;
  /** Resolves when the life of now is ready; rejects when it ends before. */
  ready: () => Promise<void>;
}

export interface Fleet {
  members: readonly Member[];
  start: (part: PartName, env: Record<string, string>, options?: MemberOptions) => Promise<Member>;
  /** Ends everything, also what is paused. */
  close: () => Promise<void>;
}

export function createFleet(preload: string): Fleet {
  const members: Member[] = [];
  const closers: (() => Promise<void>)[] = [];
  return {
    members,
    async start(part, env, options = {}) {
      const { member, close } = createMember(`${part}-${members.length + 1}`, part, env, {
        ...options,
        preload,
      });
      members.push(member);
      closers.push(close);
      if (options.wait !== false) await member.start();
      else void member.start().catch(() => undefined);
      return member;
    },
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

interface Life {
  child: ChildProcess;
  url: string;
  ready: Promise<void>;
}

function createMember(
  name: string,
  part: PartName,
  env: Record<string, string>,
  options: MemberOptions & { preload: string },
): { member: Member; close: () => Promise<void> } {
  const lines: string[] = [];
  const ends: End[] = [];
  let life: Life | undefined;
  let wanted = false;
  const isAlive = (): boolean =>
    life !== undefined && life.child.exitCode === null && life.child.signalCode === null;

  function launch(): Life {
    const child = forkPart(part, env, options);
    endWithUs(child);
    collectLines(child, lines);
    const next: Life = { child, url: '', ready: untilReady(child, name, lines) };
    next.ready.catch(() => undefined);
    child.on('message', (message: { type: string; url: string }) => void (next.url = message.url));
    child.once('exit', (code, signal) => {
      ends.push({ pid: child.pid ?? 0, code, signal, at: Date.now() });
      if (wanted && options.supervised === true)
        void delay(200).then(() => (wanted ? (life = launch()) : undefined));
    });
    return next;
  }

  async function send(name_: NodeJS.Signals): Promise<number | null> {
    if (life === undefined || !isAlive()) return life?.child.exitCode ?? null;
    const { child } = life;
    const gone = once(child, 'exit');
    child.kill(name_);
    await gone;
    return child.exitCode;
  }

  const member: Member = {
    name,
    lines,
    ends,
    apart: options.within !== undefined,
    get url() {
      return life?.url ?? '';
    },
    get pid() {
      return life?.child.pid ?? 0;
    },
    get alive() {
      return isAlive();
    },
    kill: async () => void (await send('SIGKILL')),
    pause: () => void life?.child.kill('SIGSTOP'),
    resume: () => void life?.child.kill('SIGCONT'),
    async term(name_ = 'SIGTERM') {
      wanted = false;
      return send(name_);
    },
    async start() {
      wanted = true;
      if (!isAlive()) life = launch();
      await life?.ready;
    },
    ready: async () => life?.ready,
  };
  const close = async (): Promise<void> => {
    wanted = false;
    await send('SIGKILL');
  };
  return { member, close };
}

function forkPart(
  part: PartName,
  env: Record<string, string>,
  {
    kinds = 'fixture',
    build = '.',
    nodeArgs = [],
    within = [],
    preload,
    ...options
  }: MemberOptions & { preload: string },
): ChildProcess {
  const own = kinds === 'fixture' && (part === 'api' || part === 'work');
  const program = own ? 'dist/tests/faults/programs/part.js' : 'dist/cli/main.js';
  const [execPath = process.execPath, ...execArgv] = [
    ...within,
    process.execPath,
    '--enable-source-maps',
    '--import',
    preload,
    ...nodeArgs,
  ];
  return fork(join(build, program), [part], {
    execPath,
    execArgv,
    env: { ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** A test run that is killed must leave nothing behind, not even what is paused: the shell reads until this process is gone. */
function endWithUs(child: ChildProcess): void {
  const watcher = spawn('sh', ['-c', `read _; kill -9 ${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.once('exit', () => watcher.kill('SIGKILL'));
}

function collectLines(child: ChildProcess, lines: string[]): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    stream?.on('close', () => void (rest === '' ? undefined : lines.push(rest)));
  }
}

/** A part says when it can be used; one that ends before that says why on its last lines. */
async function untilReady(child: ChildProcess, name: string, lines: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(
        new Error(`${name} ended (${signal ?? code}) before it was ready:\n${lines.slice(-10).join('\n')}`),
      ),
    );
  });
}
