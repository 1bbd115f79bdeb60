// The embedded PostgreSQL for one process: an address to connect to and a stop. Promises that the data survives a restart,
// that there is never a second postmaster on one folder, and that none outlives its parent, even a killed one.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { KeeperMessage } from './keeper.ts';

export interface EmbeddedOptions {
  /** Folder of the server, created when missing; it belongs to the server alone. */
  dataDir: string;
  /** Wanted port on 127.0.0.1; default the last one used. Another one is taken when it is not free. */
  port?: number;
  /** Faster and unsafe against power loss (fsync off). Commits stay synchronous. */
  forTests?: boolean;
  /** Hears what the supervisor did on its own, one sentence at a time. */
  log?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** postgres:// address of the database `storytime`. */
  url: string;
  port: number;
  /** Process id of the postmaster. */
  pid: number;
  /** Stops the server, unless another process uses it too. May be called again. */
  stop: () => Promise<void>;
}

type Ready = Extract<KeeperMessage, { type: 'ready' }>;

/** Starts or adopts the server of `dataDir`: about 0.3 s, 2-4 s the first time. Rejects with the end of the server's log. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const keeper = forkKeeper(options);
  const { pid, port, password } = await ready(keeper, options.log);
  // The server must not keep its parent alive; the keeper notices an exit by itself.
  keeper.unref();
  keeper.channel?.unref();
  const stop = async (): Promise<void> => {
    if (keeper.exitCode === null && keeper.signalCode === null) await stopKeeper(keeper);
    // A keeper that was killed left the server running: a new one adopts it and takes it down.
    if (keeper.signalCode !== null) await (await startEmbeddedPostgres(options)).stop();
  };
  return { url: `postgres://storytime:${password}@127.0.0.1:${port}/storytime`, port, pid, stop };
}

function forkKeeper({ dataDir, port, forTests }: EmbeddedOptions): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  return fork(
    fileURLToPath(new URL(source ? './keeper.ts' : './keeper.js', import.meta.url)),
    [JSON.stringify({ dataDir: resolve(dataDir), port, forTests })],
    {
      execArgv: source ? ['--import', tsxLoader()] : [],
      // Out of the terminal's process group: Ctrl-C reaches the parent alone, which ends its work before its database.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // PGOPTIONS, PGSSLMODE, LC_ALL or NODE_OPTIONS of the caller would change how the server runs.
      ...(process.platform !== 'win32' && { env: {} }),
    },
  );
}

/** Runs the keeper from its TypeScript source, as tests do. Node resolves a bare name against the caller's folder, so be exact. */
function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}

async function ready(keeper: ChildProcess, log: EmbeddedOptions['log']): Promise<Ready> {
  return new Promise((done, fail) => {
    keeper.on('message', (message: KeeperMessage) => {
      if (message.type === 'ready') done(message);
      else if (message.type === 'failed') fail(new Error(message.message));
      else log?.(message.line);
    });
    keeper.once('error', fail);
    keeper.once('exit', (code, signal) => {
      fail(
        new Error(
          `the embedded PostgreSQL did not start: its keeper ended (${signal ?? code}); see the output above`,
        ),
      );
    });
  });
}

async function stopKeeper(keeper: ChildProcess): Promise<void> {
  const gone = once(keeper, 'exit');
  keeper.ref();
  if (keeper.connected) keeper.send('stop', () => undefined);
  await gone;
}
