// A private, real redis-server for one test file, on a free loopback port. Never a shared one: tests kill it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../ledger/embedded/port.ts';
import { createFolder, removeFolder } from './folders.ts';

export interface TestRedis {
  /** redis:// address. */
  url: string;
  port: number;
  pid: number;
  /** Ends it in order and removes its folder. */
  stop: () => Promise<void>;
  /** SIGKILL; the folder stays until `stop`. */
  kill: () => Promise<void>;
}

/** `port`: default any free one. `args`: more redis-server arguments, e.g. ['--appendonly', 'yes']. */
export async function startRedis(options: { port?: number; args?: string[] } = {}): Promise<TestRedis> {
  const folder = await createFolder();
  const port = options.port ?? (await freePort(0)) ?? 0;
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', [...settings, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await endChild(watcher, 'SIGKILL');
    await endChild(child, signal);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      await end('SIGTERM');
      await removeFolder(folder);
    },
    kill: async () => end('SIGKILL'),
  };
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
