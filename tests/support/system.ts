// The whole system as a user starts it: `storytime up` in a folder of its own, driven over HTTP, killed for real.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Client } from '../../client/index.ts';
import { eventually } from './house.ts';
import { startProcess, type TestProcess } from './processes.ts';

/** What `.storytime/up.json` holds. */
export interface UpFile {
  api: string;
  dashboard: string;
  mailbox: string;
  key: string;
  engine: 'postgres' | 'redis';
  databaseUrl: string;
  pid: number;
}

export interface TestSystem extends UpFile {
  process: TestProcess;
  client: Client;
  /** The sandbox's bill. */
  bill: () => Promise<BillEntry[]>;
  /** GET with the development key, parsed. */
  read: <T>(path: string) => Promise<T>;
}

export interface BillEntry {
  provider: string;
  operation: string;
  step?: string;
}

/** Starts `storytime up` and waits until its file is there. Real keys in the environment must never be used. */
export async function startSystem(home: string, env: Record<string, string> = {}): Promise<TestSystem> {
  const started = startProcess(['--enable-source-maps', 'dist/cli/main.js', 'up'], {
    env: { ...cleanEnv(), ...env, STORYTIME_HOME: home, STORYTIME_SANDBOX: 'on' },
  });
  const path = join(home, 'up.json');
  await eventually(
    `storytime up is ready\n${started.output()}`,
    () => {
      if (started.child.exitCode !== null) throw new Error(`storytime up ended:\n${started.output()}`);
      return existsSync(path) && upFile(path)?.pid === started.child.pid;
    },
    60_000,
  );
  const up = upFile(path);
  if (up === undefined) throw new Error('up.json cannot be read');
  const read = async <T>(address: string): Promise<T> => {
    const answer = await fetch(new URL(address, up.api), { headers: { authorization: `Bearer ${up.key}` } });
    return (await answer.json()) as T;
  };
  return {
    ...up,
    process: started,
    client: connect({ url: up.api, key: up.key }),
    bill: async () =>
      (await read<{ entries: BillEntry[] }>(new URL('/_sandbox/bill', up.mailbox).href)).entries,
    read,
  };
}

function upFile(path: string): UpFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as UpFile;
  } catch {
    return undefined; // being written
  }
}

function cleanEnv(): NodeJS.ProcessEnv {
  const keep = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('STORYTIME_') && name !== 'DATABASE_URL' && name !== 'REDIS_URL',
  );
  const fakeKeys = {
    GEMINI_API_KEY: 'real-key',
    ELEVENLABS_API_KEY: 'real-key',
    DEEPGRAM_API_KEY: 'real-key',
  };
  return { ...Object.fromEntries(keep), ...fakeKeys };
}

/** Processes that belong to a system: by working directory, arguments or environment. */
export function processesOf(home: string): { pid: number; parent: number; args: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const read = (file: string): string => {
        try {
          return file === 'cwd'
            ? readlinkSync(`/proc/${pid}/cwd`)
            : readFileSync(`/proc/${pid}/${file}`, 'utf8');
        } catch {
          return ''; // gone, or not ours to read
        }
      };
      const args = read('cmdline').replaceAll('\0', ' ');
      const ours =
        read('cwd').startsWith(home) ||
        args.includes(home) ||
        read('environ').includes(`STORYTIME_HOME=${home}`);
      const parent = Number(/^PPid:\s*(\d+)/m.exec(read('status'))?.[1] ?? 0);
      return ours ? [{ pid: Number(pid), parent, args }] : [];
    });
}
