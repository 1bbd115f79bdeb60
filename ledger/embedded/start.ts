// The embedded PostgreSQL for one process: an address to connect to and a stop. Promises that the data survives a restart,
// that there is never a second postmaster on one folder, that none outlives its parent, even a killed one, and that a keeper
// which dies is replaced: without it nobody would start the server again or keep others from stopping it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toError } from '../../shared/errors.ts';
import { growingPause } from '../../shared/growing-pause.ts';
import { forkKeeper, type Keeper, type Ready } from './keeper-process.ts';

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

const firstPauseMs = 100;

/** Starts or adopts the server of `dataDir`: about 0.3 s, 2-4 s the first time. Rejects with the end of the server's log. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const keeper = forkKeeper(options);
  const server = await keeper.ready;
  const { pid, port, password } = server;
  // Said here because PGSSLMODE of the surroundings, meant for another server, would be taken otherwise.
  const url = `postgres://storytime:${password}@127.0.0.1:${port}/storytime?sslmode=disable`;
  return { url, port, pid, stop: supervise(keeper, server, options) };
}

/** Replaces a keeper that ends without being asked to, for the same port; returns how to end it and the server. */
function supervise(first: Keeper, { port }: Ready, options: EmbeddedOptions): () => Promise<void> {
  const nextPause = growingPause(firstPauseMs);
  let keeper = first;
  let timer: NodeJS.Timeout | undefined;
  let stopped: Promise<void> | undefined;

  function watch(): void {
    const startedAt = performance.now();
    keeper.letGo();
    void keeper.ended.then((how) => replaceLater(how, performance.now() - startedAt));
  }

  function replaceLater(how: string, ranMs: number): void {
    if (stopped !== undefined || !hasData(options)) return;
    const pauseMs = nextPause(ranMs);
    const next = `starting a new one in ${pauseMs / 1_000} s`;
    options.log?.(`the keeper of the embedded PostgreSQL ended (${how}); ${next}`);
    timer = setTimeout(replace, pauseMs).unref();
  }

  function replace(): void {
    try {
      keeper = forkKeeper({ ...options, pinnedPort: port });
    } catch (thrown) {
      return replaceLater(toError(thrown).message, 0); // no memory for one, say
    }
    keeper.ready.catch((error: unknown) => options.log?.(toError(error).message));
    watch();
  }

  async function end(): Promise<void> {
    clearTimeout(timer);
    if (await keeper.stop()) return;
    // A keeper that was killed left the server running: a new one adopts it and takes it down.
    if (hasData(options)) await (await startEmbeddedPostgres(options)).stop();
  }

  watch();
  return async () => (stopped ??= end());
}

/** A folder that was removed is not made anew. */
function hasData({ dataDir }: EmbeddedOptions): boolean {
  return existsSync(join(dataDir, 'data'));
}
