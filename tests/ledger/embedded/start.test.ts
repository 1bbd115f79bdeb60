// The embedded PostgreSQL against the ways in which its parent, its keeper or itself can die.
// Covers: ledger/embedded/cluster.ts, ledger/embedded/identity.ts, ledger/embedded/owners.ts,
// ledger/embedded/port.ts, ledger/embedded/postmaster.ts
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { isAlive } from '../../../shared/alive.ts';
import { openCluster } from '../../../ledger/embedded/cluster.ts';
import { findPostmaster, stopPostmaster } from '../../../ledger/embedded/postmaster.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../ledger/embedded/start.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';

type Address = Pick<EmbeddedPostgres, 'url' | 'port' | 'pid'>;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function dataFolder(): Promise<string> {
  const folder = await createFolder();
  cleanups.push(async () => removeFolder(folder));
  return join(folder, 'postgres');
}

/** One cluster for the tests that need no fresh one: initdb is most of a test's time. Each leaves it stopped. */
let usual = '';
beforeAll(async () => {
  usual = join(await createFolder(), 'postgres');
});
afterAll(async () => removeFolder(dirname(usual)));

async function start(dataDir: string, port?: number): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir,
    forTests: true,
    ...(port !== undefined && { port }),
  });
  cleanups.push(server.stop);
  return server;
}

async function startParent(
  dataDir: string,
  options: SpawnOptions = {},
): Promise<{ parent: ChildProcess; server: Address }> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const entry = fileURLToPath(new URL('../../support/parent.ts', import.meta.url));
  const args = ['--import', loader, entry, JSON.stringify({ dataDir, forTests: true })];
  const parent = spawn(process.execPath, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  cleanups.push(async () => endParent(parent, 'SIGKILL'));
  const lines = createInterface({ input: parent.stdout ?? process.stdin });
  const [line] = (await Promise.race([once(lines, 'line'), once(parent, 'exit')])) as [unknown];
  if (typeof line !== 'string')
    throw new Error(`the parent ended (${String(line)}) before its server was ready`);
  return { parent, server: JSON.parse(line) as Address };
}

async function endParent(parent: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (parent.exitCode !== null || parent.signalCode !== null) return;
  const gone = once(parent, 'exit');
  if (signal) parent.kill(signal);
  else parent.stdin?.end();
  await gone;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

async function keeperOf(dataDir: string): Promise<number> {
  return Number((await readdir(join(dataDir, 'owners')))[0]);
}

test('data, address and password survive a restart', async () => {
  const dataDir = usual;
  const first = await start(dataDir);
  await query(first.url, "create table if not exists story as select 'The owl' as title");
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const second = await start(dataDir);
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select title from story')).toEqual(['The owl']);
  expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
});

test('the server listens on loopback, in UTC, and commits synchronously even for tests', async () => {
  const { url } = await start(usual);
  process.env['PGSSLMODE'] = 'require'; // meant for another server
  cleanups.push(() => Promise.resolve(delete process.env['PGSSLMODE']));
  const names = [
    'listen_addresses',
    'TimeZone',
    'max_connections',
    'shared_buffers',
    'fsync',
    'synchronous_commit',
  ];
  const sql = names.map((name) => `select current_setting('${name}')`).join(' union all ');
  expect(await query(url, sql)).toEqual(['127.0.0.1', 'UTC', '200', '64MB', 'off', 'on']);
});

test('a parent killed with SIGKILL leaves no postmaster and no keeper', async () => {
  const dataDir = usual;
  const { parent, server } = await startParent(dataDir);
  const keeper = await keeperOf(dataDir);
  await endParent(parent, 'SIGKILL');
  await waitUntil(() => !isAlive(server.pid) && !isAlive(keeper));
  await expect(stat(join(dataDir, 'data', 'postmaster.pid'))).rejects.toThrow('ENOENT');
});

test('an orphan postmaster, left by a keeper and a parent killed together, is adopted', async () => {
  const dataDir = usual;
  const { parent, server: orphan } = await startParent(dataDir);
  process.kill(await keeperOf(dataDir), 'SIGKILL');
  await endParent(parent, 'SIGKILL');
  const adopted = await start(dataDir);
  expect(adopted.pid).toBe(orphan.pid);
  expect(await query(adopted.url, 'select 1')).toEqual([1]);
  await adopted.stop();
  expect(isAlive(orphan.pid)).toBe(false);
});

test('stop takes the server down even when its keeper was killed', async () => {
  const dataDir = usual;
  const server = await start(dataDir);
  const keeper = await keeperOf(dataDir);
  process.kill(keeper, 'SIGKILL');
  await waitUntil(() => !isAlive(keeper));
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
});

test('two processes that start one folder at once share one postmaster, and the last one stops it', async () => {
  const dataDir = await dataFolder();
  const [one, two] = await Promise.all([startParent(dataDir), startParent(dataDir)]);
  expect(one.server).toEqual(two.server);
  await endParent(one.parent);
  expect(await query(two.server.url, 'select 1')).toEqual([1]);
  await endParent(two.parent);
  expect(isAlive(two.server.pid)).toBe(false);
});

test('a postmaster that is killed is started again at the same address', async () => {
  const server = await start(usual);
  await query(server.url, "create table if not exists story as select 'The owl' as title");
  process.kill(server.pid, 'SIGKILL');
  let titles: unknown[] = [];
  await waitUntil(async () => {
    titles = await query(server.url, 'select title from story').catch(() => []);
    return titles.length > 0;
  });
  expect(titles).toEqual(['The owl']);
});

test('a port that somebody else has taken gives way to a free one', async () => {
  const dataDir = usual;
  const first = await start(dataDir);
  await first.stop();
  const taken = createServer();
  await once(taken.listen(first.port, '127.0.0.1'), 'listening');
  cleanups.push(async () => new Promise((done) => taken.close(done)));
  const second = await start(dataDir);
  expect(second.port).not.toBe(first.port);
  expect(await query(second.url, 'select 1')).toEqual([1]);
});

test('a stale postmaster.pid does not stop a start, even when it names a stranger that lives', async () => {
  const dataDir = usual;
  await (await start(dataDir)).stop();
  const path = join(dataDir, 'data', 'postmaster.pid');
  for (const pid of [process.pid, 2_147_483_600]) {
    await writeFile(path, `${pid}\n${dataDir}/data\n1700000000\n5432\n\n127.0.0.1\n\n`);
    const server = await start(dataDir);
    expect(await query(server.url, 'select 1')).toEqual([1]);
    await server.stop();
  }
});

test('a look at a server changes nothing: what it takes for a stranger may be a server that just ended', async () => {
  await (await start(usual)).stop();
  const cluster = await openCluster(usual);
  const path = join(cluster.data, 'postmaster.pid');
  const stale = `${process.ppid}\n${cluster.data}\n1700000000\n5432\n\n127.0.0.1\n\n`;
  await writeFile(path, stale);
  expect(await findPostmaster(cluster)).toBeUndefined();
  await stopPostmaster(cluster);
  expect(await readFile(path, 'utf8')).toBe(stale);
});

test('an initdb that was killed in the middle is done again', async () => {
  const dataDir = await dataFolder();
  const draft = join(dataDir, 'data.new-2147483600');
  await mkdir(draft, { recursive: true });
  await writeFile(join(draft, 'PG_VERSION'), '18\n');
  const server = await start(dataDir);
  expect(await query(server.url, 'select 1')).toEqual([1]);
  await expect(stat(draft)).rejects.toThrow('ENOENT');
});

test('a server that cannot start says why, with the end of its log', async () => {
  const dataDir = await dataFolder();
  await (await start(dataDir)).stop();
  await writeFile(join(dataDir, 'data', 'postgresql.conf'), 'no_such_setting = 1\n');
  await expect(start(dataDir)).rejects.toThrow(/did not start: postgres ended[\s\S]*no_such_setting/);
});

// A test run as root proves the ordinary user too; otherwise every other test above is that proof.
const asRoot = process.getuid?.() === 0;

test('an ordinary user runs it inside a folder that only he can enter', async () => {
  const dataDir = await dataFolder();
  const home = join(dataDir, '..');
  const user = asRoot ? { uid: 65_534, gid: 65_534 } : undefined;
  if (user) await chown(home, user.uid, user.gid);
  await chmod(home, 0o700);
  const { parent, server } = await startParent(dataDir, { ...user, cwd: '/' });
  expect(await query(server.url, 'select 1')).toEqual([1]);
  await endParent(parent, 'SIGKILL');
  await waitUntil(() => !isAlive(server.pid));
});

test('root leaves data that belongs to an ordinary user in his hands', async () => {
  const dataDir = await dataFolder();
  await mkdir(dataDir);
  const uid = asRoot ? 65_534 : (process.getuid?.() ?? 0);
  if (asRoot) await chown(dataDir, uid, 65_534);
  await start(dataDir);
  expect((await stat(join(dataDir, 'data', 'base'))).uid).toBe(uid);
});
