// A machine of its own for one process: a network namespace on a cable (a veth pair) that can be pulled. Nothing of this machine's
// network is touched but what is made here: no other interface, no default route. Needs root and Debian's iproute2.
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startProxy } from '../../support/proxy.ts';
import type { readiness } from './census.ts';

export interface Namespace {
  /** For `MemberOptions.within`. */
  within: readonly string[];
  /** The address under which a server on loopback is reached from inside. */
  reach: (url: string) => Promise<string>;
  /** The cable: while it is out, what is sent is lost without a word, both ways. */
  pull: () => void;
  plug: () => void;
  /** As `readiness` of census.ts, asked from inside. */
  ask: typeof readiness;
  /** Takes everything away; happens by itself when this process is killed. */
  remove: () => Promise<void>;
}

/** `row`: for the one line that says why it cannot run here. */
export async function openNamespace(row: string): Promise<Namespace> {
  requireTools(row);
  const name = `storytime-${process.pid}`;
  const [near, far] = [`st${process.pid}a`, `st${process.pid}b`];
  const [subnet, address, inside] = [addressOf(0), addressOf(1), addressOf(2)];
  const blackhole = `blackhole ${subnet}/30 metric 4000`;
  const remover = removeAtEnd([`link del ${near}`, `route del ${blackhole}`, `netns del ${name}`]);
  const closers: (() => Promise<void>)[] = [remover];
  const remove = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    ip(`netns add ${name}`);
    ip(`link add ${near} type veth peer name ${far}`);
    ip(`link set ${far} netns ${name}`);
    ip(`addr add ${address}/30 dev ${near}`);
    ip(`link set ${near} up`);
    ip(`route add ${blackhole}`); // behind the cable's own: while it is out, nothing may leave by another way
    ip(`-n ${name} link set lo up`); // its own
    ip(`-n ${name} addr add ${inside}/30 dev ${far}`);
    ip(`-n ${name} link set ${far} up`);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  const within = ['ip', 'netns', 'exec', name];
  const asker = startAsker(within);
  closers.push(() => endChild(asker));
  return {
    within,
    async reach(url) {
      const proxy = await startProxy(url, address);
      closers.push(proxy.close);
      return proxy.url;
    },
    pull: () => ip(`link set ${near} down`),
    plug: () => ip(`link set ${near} up`),
    async ask(url, path = '/readyz') {
      asker.send(`${url}${path}`);
      const [answer] = (await once(asker, 'message')) as [Awaited<ReturnType<typeof readiness>>];
      return answer;
    },
    remove,
  };
}

function requireTools(row: string): void {
  if (process.getuid?.() !== 0)
    throw new Error(`${row} failed: a network namespace needs root; run it as root`);
  try {
    ip('-V');
  } catch {
    throw new Error(`${row} failed: there is no \`ip\` here; install iproute2 and run it again`);
  }
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Four addresses for each process, of the range that is kept for tests of networks (RFC 2544). */
function addressOf(index: number): string {
  const block = process.pid % 16_384;
  return `198.18.${block >> 6}.${(block & 63) * 4 + index}`;
}

/** A shell that reads until it is told to, or until this process is gone, and then runs the commands. Ctrl-C does not reach it. */
function removeAtEnd(commands: readonly string[]): () => Promise<void> {
  const script = ['read _', ...commands.map((words) => `ip ${words}`)].join('; ');
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  return async () => {
    shell.stdin.end();
    if (shell.exitCode === null) await once(shell, 'exit');
  };
}

function startAsker([command = '', ...words]: readonly string[]): ChildProcess {
  return fork('tests/faults/kit/asker.js', [], {
    execPath: command,
    execArgv: [...words, process.execPath],
    env: { PATH: process.env['PATH'] },
  });
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
