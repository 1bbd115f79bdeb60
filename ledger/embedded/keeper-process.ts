// The keeper as its parent sees it: forked, heard, asked to stop.
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { KeeperMessage } from './keeper.ts';
import type { EmbeddedOptions } from './start.ts';

export type Ready = Extract<KeeperMessage, { type: 'ready' }>;

export interface Keeper {
  /** The server, once it answers; rejects when the keeper cannot have it. */
  ready: Promise<Ready>;
  /** How it ended, whenever and however that was. */
  ended: Promise<string>;
  /** Keeps it from keeping its parent alive; the keeper notices an exit by itself. */
  letGo: () => void;
  /** Asks it to end; true when it did as asked, false when it was killed, or gone before. */
  stop: () => Promise<boolean>;
}

export interface KeeperOptions extends EmbeddedOptions {
  /** The only port that will do, because its address has been given away. */
  pinnedPort?: number;
}

export function forkKeeper(options: KeeperOptions): Keeper {
  const child = forkChild(options);
  let isGone = false;
  const ended = new Promise<string>((done) => {
    const end = (how: string): void => {
      isGone = true;
      done(how);
    };
    child.once('exit', (code, signal) => end(String(signal ?? code)));
    child.once('error', (error) => end(error.message)); // it could not be started: no exit follows
  });
  return {
    ready: ready(child, ended, options.log),
    ended,
    letGo() {
      child.unref();
      child.channel?.unref();
    },
    async stop() {
      if (isGone) return false;
      child.ref();
      if (child.connected) child.send('stop', () => undefined);
      await ended;
      return child.signalCode === null;
    },
  };
}

function forkChild({ dataDir, port, pinnedPort, forTests }: KeeperOptions): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  return fork(
    fileURLToPath(new URL(source ? './keeper.ts' : './keeper.js', import.meta.url)),
    [JSON.stringify({ dataDir: resolve(dataDir), port, pinnedPort, forTests })],
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

async function ready(
  child: ChildProcess,
  ended: Promise<string>,
  log: EmbeddedOptions['log'],
): Promise<Ready> {
  return new Promise((done, fail) => {
    child.on('message', (message: KeeperMessage) => {
      if (message.type === 'ready') done(message);
      else if (message.type === 'failed') fail(new Error(message.message));
      else log?.(message.line);
    });
    void ended.then((how) =>
      fail(
        new Error(`the embedded PostgreSQL did not start: its keeper ended (${how}); see the output above`),
      ),
    );
  });
}
