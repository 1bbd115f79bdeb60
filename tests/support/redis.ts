// A private, real redis-server for one test file, on a free loopback port. Never a shared one: tests kill it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../ledger/embedded/port.ts';
import { createFolder, removeFolder } from './folders.ts';

export interface TestRedis {
  /** redis:// address. */
  url: string;
  port: number;
  /** Of the server that runs now. */
  readonly pid: number;
  /** Where it keeps what it writes. */
  folder: string;
  /** Ends it in order and removes its folder. */
  stop: () => Promise<void>;
  /** SIGKILL; the folder stays until `stop`. */
  kill: () => Promise<void>;
  /** Starts it again after `kill`, on the same port and folder. */
  restart: () => Promise<void>;
  /** SIGSTOP: it takes connections and answers nothing, until `resume`. */
  pause: () => void;
  resume: () => void;
  /** After `kill`: cuts the end off its newest append-only file, as a loss of power does. Returns the bytes that are left. */
  truncateAof: (bytes: number) => number;
}

interface Server {
  child: ChildProcess;
  watcher: ChildProcess;
}

/**
 * `port`: default any free one. `args`: more redis-server arguments, e.g. ['--appendonly', 'yes']. `sentinel`: it is one, and
 * this is the file it begins with and writes on.
 */
export async function startRedis(
  options: { port?: number; args?: string[]; sentinel?: string } = {},
): Promise<TestRedis> {
  const folder = await createFolder();
  const port = options.port ?? (await freePort(0)) ?? 0;
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const file = join(folder, 'sentinel.conf');
  if (options.sentinel !== undefined) writeFileSync(file, options.sentinel);
  const args =
    options.sentinel === undefined
      ? [...common, '--save', '', '--appendonly', 'no', ...(options.args ?? [])]
      : [file, ...common, '--sentinel'];
  const launch = (): Promise<Server> => launchRedis(port, args);
  let server = await launch();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await endChild(server.watcher, 'SIGKILL');
    await endChild(server.child, signal);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    get pid() {
      return server.child.pid ?? 0;
    },
    stop: async () => {
      server.child.kill('SIGCONT'); // a paused one would not hear it
      await end('SIGTERM');
      await removeFolder(folder);
    },
    kill: async () => end('SIGKILL'),
    restart: async () => void (server = await launch()),
    pause: () => void server.child.kill('SIGSTOP'),
    resume: () => void server.child.kill('SIGCONT'),
    truncateAof: (bytes) => truncateNewest(join(folder, 'appendonlydir'), bytes),
  };
}

async function launchRedis(port: number, args: readonly string[]): Promise<Server> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'spawn');
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server did not start: it ended\n${output}`);
    await delay(10);
  }
  // A test run that is killed must not leave it behind: the shell reads until this process is gone.
  const watcher = spawn('sh', ['-c', `read _; kill -9 ${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return { child, watcher };
}

function truncateNewest(folder: string, bytes: number): number {
  const name = readdirSync(folder)
    .filter((file) => file.endsWith('.incr.aof'))
    .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .at(-1);
  const path = join(folder, name ?? '');
  const left = Math.max(0, statSync(path).size - bytes);
  truncateSync(path, left);
  return left;
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
