// The folder of one embedded server: `data` (PostgreSQL's own), `password`, `port`, `owners/`, `postgres.log`. Promises that
// `data` is a finished cluster or absent: initdb works under another name, which is renamed when it is done, so a start
// that was killed in the middle leaves nothing that looks like a database.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../../shared/alive.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { chooseIdentity, give, type Identity } from './identity.ts';

export interface Cluster {
  /** Absolute path of the folder; it belongs to the server alone. */
  root: string;
  /** Stands on the server's command line, so that its process is known for the one of this folder. */
  name: string;
  data: string;
  logFile: string;
  password: string;
  binaries: Binaries;
  identity: Identity | undefined;
}

/** Opens the cluster in `root`, creating what is missing: up to 3 s the first time, a few milliseconds later. */
export async function openCluster(root: string): Promise<Cluster> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const identity = await chooseIdentity(root);
  await give(root, identity);
  await chmod(root, 0o700);
  const place = createHash('sha256')
    .update(await realpath(root))
    .digest('hex');
  const cluster: Cluster = {
    root,
    name: `storytime-${place.slice(0, 12)}`,
    data: join(root, 'data'),
    logFile: join(root, 'postgres.log'),
    password: await readPassword(root, identity),
    binaries: await findBinaries(root, identity),
    identity,
  };
  if (!existsSync(cluster.data)) await initialise(cluster);
  return cluster;
}

/** A random password, 0600; made once, also when two processes come at the same moment (`link` refuses the second). */
async function readPassword(root: string, identity: Identity | undefined): Promise<string> {
  const path = join(root, 'password');
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, randomBytes(24).toString('hex'), { mode: 0o600 });
    await give(draft, identity);
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(draft);
  }
  return (await readFile(path, 'utf8')).trim();
}

async function initialise(cluster: Cluster): Promise<void> {
  const { root, data, identity } = cluster;
  await sweepDrafts(root);
  const draft = join(root, `data.new-${process.pid}`);
  await mkdir(draft, { mode: 0o700 });
  await give(draft, identity);
  // PostgreSQL must not rely on the caller's locale: sort order would differ from machine to machine.
  const args = [
    '--username=storytime',
    '--auth=scram-sha-256',
    '--pwfile=../password',
    '--encoding=UTF8',
    '--locale=C',
  ];
  const log = await open(cluster.logFile, 'a', 0o600);
  try {
    const child = spawn(cluster.binaries.initdb, [...args, '-D', dataArgument(draft, identity)], {
      ...identity,
      cwd: draft,
      stdio: ['ignore', log.fd, log.fd],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(await startFailure(cluster, 'initdb'));
  } finally {
    await log.close();
  }
  // Somebody else may have finished first: a folder that is not empty is never replaced, and his cluster is as good.
  await rename(draft, data).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(data)) throw error;
  });
}

async function sweepDrafts(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const [, pid] = /^data\.new-(\d+)$/.exec(name) ?? [];
    const dead = pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)));
    if (dead) await rm(join(root, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * How the data folder is named to the programs, which are started inside it. PostgreSQL makes its path absolute and enters
 * it again; below a folder that its user cannot traverse (root's 0700 home, a mkdtemp checkout) that fails with
 * "Permission denied". The kernel's link to the current folder needs no right on the parents.
 */
export function dataArgument(data: string, identity: Identity | undefined): string {
  return identity && process.platform === 'linux' ? '/proc/self/cwd' : data;
}

/** A sentence with the last lines of the server's log. */
export async function startFailure(cluster: Cluster, program: string): Promise<string> {
  const text = await readFile(cluster.logFile, 'utf8').catch(() => '');
  const tail = text.trim().split('\n').slice(-6).join('\n  ');
  return `the embedded PostgreSQL did not start: ${program} ended; read the end of ${cluster.logFile}:\n  ${tail}`;
}
