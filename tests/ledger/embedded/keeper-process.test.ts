// The keeper killed for real, as the kernel does when memory is short, while the system on its server goes on.
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../ledger/embedded/start.ts';
import { isAlive } from '../../../shared/alive.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';

let dataDir: string;
let server: EmbeddedPostgres;
let lines: string[];
beforeEach(async () => {
  dataDir = join(await createFolder(), 'postgres');
  lines = [];
  server = await startEmbeddedPostgres({ dataDir, forTests: true, log: (line) => lines.push(line) });
});
afterEach(async () => {
  await server.stop();
  await removeFolder(dirname(dataDir));
});

/** Those that live: the mark of one that was killed stays until somebody leaves. */
async function keepers(): Promise<number[]> {
  return (await readdir(join(dataDir, 'owners'))).map(Number).filter((pid) => isAlive(pid));
}

async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

async function answers(): Promise<boolean> {
  const client = new Client({ connectionString: server.url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query('select 1')).rowCount === 1;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function killKeeper(): Promise<void> {
  const [killed = 0] = await keepers();
  process.kill(killed, 'SIGKILL');
  await waitUntil(async () => (await keepers()).some((pid) => pid !== killed));
}

test('a keeper that is killed is replaced, and a command that comes and goes does not stop the server', async () => {
  await killKeeper();
  expect(lines).toEqual([expect.stringMatching(/keeper .* ended \(SIGKILL\); starting a new one in 0\.1 s/)]);
  const other = await startEmbeddedPostgres({ dataDir, forTests: true });
  expect(other.pid).toBe(server.pid);
  await other.stop();
  expect(await answers()).toBe(true);
});

test('the new keeper starts a server that dies again, at the same address', async () => {
  await killKeeper();
  process.kill(server.pid, 'SIGKILL');
  await waitUntil(() => !isAlive(server.pid));
  await waitUntil(answers);
});

test('a keeper that is killed together with its server brings both back at the same address', async () => {
  const [keeper = 0] = await keepers();
  process.kill(keeper, 'SIGKILL');
  process.kill(server.pid, 'SIGKILL');
  await waitUntil(() => !isAlive(server.pid));
  await waitUntil(answers);
});

test('after a stop no keeper is left and none comes', async () => {
  await killKeeper();
  await server.stop();
  await server.stop();
  expect(await keepers()).toEqual([]);
  expect(isAlive(server.pid)).toBe(false);
  expect(lines).toHaveLength(1);
});
