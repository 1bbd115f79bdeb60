// Starts, adopts and stops the one postmaster of a cluster. PostgreSQL's own interlock (postmaster.pid and the shared memory
// block it names) decides who runs: whoever loses finds the winner and adopts it, so two never run on one folder.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { isAlive } from '../../shared/alive.ts';
import { dataArgument, startFailure, type Cluster } from './cluster.ts';
import { choosePort, rememberPort } from './port.ts';

export interface Postmaster {
  pid: number;
  port: number;
}

export interface StartOptions {
  /** Wanted port; another one is taken when it is not free. */
  port?: number | undefined;
  /** The only port that will do. */
  pinnedPort?: number | undefined;
  forTests?: boolean | undefined;
  /** The most connections at once. */
  connections?: number | undefined;
}

const startTimeoutMs = 120_000; // long enough for crash recovery
const stopTimeoutMs = 30_000;
const anotherTry = /postmaster\.pid|shared memory block|could not create any TCP|Address already in use/;

/** A postmaster that answers queries: the one that runs already (an orphan of a killed parent, too), else a new one. */
export async function runPostmaster(cluster: Cluster, options: StartOptions): Promise<Postmaster> {
  const deadline = Date.now() + startTimeoutMs;
  if (!(await findPostmaster(cluster)) && existsSync(cluster.logFile)) await truncate(cluster.logFile);
  while (Date.now() < deadline) {
    const running = await findPostmaster(cluster);
    if (!running) {
      const started = await startOnce(cluster, options, deadline);
      if (started) return started;
    } else if (await answers(cluster, running.port)) return running;
    await delay(50); // it is starting, stopping, or lost a race: look again
  }
  throw new Error(
    await startFailure(cluster, `no answer within ${startTimeoutMs / 1000} s, postgres may have`),
  );
}

async function startOnce(
  cluster: Cluster,
  options: StartOptions,
  deadline: number,
): Promise<Postmaster | undefined> {
  const port = options.pinnedPort ?? (await choosePort(cluster.root, options.port));
  await disownStranger(cluster);
  const child = await spawnPostgres(cluster, port, options);
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await answers(cluster, port)) {
      await rememberPort(cluster.root, port);
      return { pid: child.pid ?? 0, port };
    }
    await delay(20);
  }
  const failure = await startFailure(cluster, 'postgres');
  if (!anotherTry.test(failure)) throw new Error(failure);
  return undefined;
}

/** The live postmaster of this cluster, told from another process that was given the id in a stale postmaster.pid. */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const { pid, port } = await namedBy(pidFile(cluster));
  return (await isPostmaster(pid, cluster.name)) ? { pid, port } : undefined;
}

/**
 * PostgreSQL takes a stranger that lives under the id in a stale postmaster.pid for a postmaster, and would refuse to start
 * for ever. The file must not be deleted, because it names the shared memory to check; the id of its own parent is the one
 * that PostgreSQL knows to be harmless. Only before a start: at any other time the file may be that of a server which has
 * just removed it and ends, or of one that another keeper starts.
 */
async function disownStranger(cluster: Cluster): Promise<void> {
  const path = pidFile(cluster);
  const { pid, lines } = await namedBy(path);
  const alive = pid > 0 && pid !== process.pid && isAlive(pid);
  if (!alive || (await isPostmaster(pid, cluster.name))) return;
  if ((await namedBy(path)).pid !== pid) return; // it was a server that ended meanwhile
  await truncate(path); // never makes the file anew
  await writeFile(path, [String(process.pid), ...lines.slice(1)].join('\n'), { flag: 'r+' });
}

function pidFile(cluster: Cluster): string {
  return join(cluster.data, 'postmaster.pid');
}

async function namedBy(path: string): Promise<Postmaster & { lines: string[] }> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), lines };
}

async function isPostmaster(pid: number, name: string): Promise<boolean> {
  if (!(pid > 0 && isAlive(pid))) return false;
  // Only Linux can be asked cheaply; elsewhere believe the file. (The link to the process's folder would say more, but root
  // in a container may not read it.)
  if (process.platform !== 'linux') return true;
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(`cluster_name=${name}\0`);
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are cut, the data is flushed. Returns when it is gone. */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const found = await findPostmaster(cluster);
  if (!found) return;
  const deadline = Date.now() + stopTimeoutMs;
  process.kill(found.pid, 'SIGINT');
  while ((await findPostmaster(cluster))?.pid === found.pid) {
    if (Date.now() > deadline) process.kill(found.pid, 'SIGQUIT');
    await delay(20);
  }
}

async function spawnPostgres(cluster: Cluster, port: number, options: StartOptions): Promise<ChildProcess> {
  const { forTests = false, connections = 200 } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(connections),
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    cluster_name: cluster.name,
    ...(forTests && { fsync: 'off', full_page_writes: 'off' }),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(cluster.logFile, 'a', 0o600);
  const child = spawn(
    cluster.binaries.postgres,
    ['-D', dataArgument(cluster.data, cluster.identity), '-p', String(port), ...args],
    { ...cluster.identity, cwd: cluster.data, stdio: ['ignore', log.fd, log.fd] },
  );
  try {
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  child.unref(); // it may outlive this keeper, when another one still needs it
  return child;
}

/** Opens the database `storytime` on the server, creating it when it is missing; false while the server is not ready. */
async function answers({ password }: Cluster, port: number): Promise<boolean> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'storytime',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query(`select 1 from pg_database where datname = 'storytime'`);
    if (rowCount === 0) await client.query('create database storytime');
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (code === '28P01')
      throw new Error('the embedded PostgreSQL refused the password beside its data', { cause: error });
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
