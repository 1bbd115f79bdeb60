// A PostgreSQL server of the row's own, for rows that stop one: migrated, on one port for all its lives. The run's shared
// server must never be stopped: every other test is on it.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { migrateEngine } from '../../../engine/schema.ts';
import { openCluster, type Cluster } from '../../../ledger/embedded/cluster.ts';
import { findPostmaster, runPostmaster, stopPostmaster } from '../../../ledger/embedded/postmaster.ts';
import { migrate } from '../../../ledger/migrate.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';

export interface OwnPostgres {
  url: string;
  /** What the server wrote in its life of now. */
  log: () => Promise<string>;
  /** `pg_ctl stop -m immediate`: every process of it is gone when this resolves, and nothing was flushed on purpose. */
  stopImmediately: () => Promise<void>;
  /** Starts it again on the same port, with room for so many connections; resolves when it answers. */
  start: (connections?: number) => Promise<void>;
  close: () => Promise<void>;
}

/** About three seconds the first time. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await createFolder();
  const cluster = await openCluster(`${folder}/postgres`);
  let server = await runPostmaster(cluster, { forTests: true });
  let watcher = watch(server.pid);
  const url = `postgres://storytime:${cluster.password}@127.0.0.1:${server.port}/storytime`;
  await migrate(url);
  await migrateEngine(url);
  return {
    url,
    log: () => readFile(cluster.logFile, 'utf8'),
    async stopImmediately() {
      watcher.kill('SIGKILL');
      process.kill(server.pid, 'SIGQUIT');
      await untilGone(cluster);
    },
    async start(connections) {
      server = await runPostmaster(cluster, { forTests: true, pinnedPort: server.port, connections });
      watcher = watch(server.pid);
    },
    async close() {
      watcher.kill('SIGKILL');
      await stopPostmaster(cluster);
      await removeFolder(folder);
    },
  };
}

/** A test run that is killed must not leave the server behind: the shell reads until this process is gone. */
function watch(pid: number): ChildProcess {
  return spawn('sh', ['-c', `read _; kill -3 ${pid}`], { stdio: ['pipe', 'ignore', 'ignore'] });
}

async function untilGone(cluster: Cluster): Promise<void> {
  while ((await findPostmaster(cluster)) !== undefined) await delay(10);
}
