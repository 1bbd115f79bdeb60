// Every part beside a schema that it does not fit: it says so, changes nothing and exits with 6.
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { say } from './world.ts';

const floor = '29990101000000_future';
const parts = ['api', 'work', 'dashboard'];

let current: TestDatabase;
let empty: TestDatabase;
let folder: string;
const running: TestProcess[] = [];
beforeAll(async () => {
  [current, empty, folder] = await Promise.all([createDatabase(), createEmptyDatabase(), createFolder()]);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.end('SIGKILL')));
});
afterAll(async () => {
  await Promise.all([current.drop(), empty.drop(), removeFolder(folder)]);
});

function envOf({ url }: TestDatabase): Record<string, string> {
  const ports = ['API', 'DASHBOARD', 'WORK'].map((part) => [`STORYTIME_${part}_PORT`, '0']);
  return { DATABASE_URL: url, STORYTIME_HOME: join(folder, 'home'), ...Object.fromEntries(ports) };
}

function start(part: string, database: TestDatabase): TestProcess {
  const env = { PATH: process.env['PATH'], ...envOf(database) };
  const started = startProcess(['--enable-source-maps', 'dist/cli/main.js', part], { env });
  running.push(started);
  return started;
}

async function codeOf({ child }: TestProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function setFloor(sql: string): Promise<void> {
  const client = new Client({ connectionString: current.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('before the database is migrated no part begins to work, and each says what to do', async () => {
  for (const part of parts.map((name) => start(name, empty))) {
    expect(await codeOf(part)).toBe(6);
    expect(part.output()).toMatch(
      /✗ the ledger cannot be used: .* lacks .*_init, .*; run `storytime migrate`/,
    );
  }
});

test('a part that runs leaves when a newer build takes away what it needs, and none starts after that', async () => {
  const early = parts.map((name) => start(name, current));
  await Promise.all(early.map((part) => part.says('is ready')));
  await setFloor(`INSERT INTO storytime.schema_floor (migration) VALUES ('${floor}')`);
  for (const part of [...early, ...parts.map((name) => start(name, current))]) {
    expect(await codeOf(part)).toBe(6);
    expect(part.output()).toContain(`its schema needs a build that has ${floor}; deploy a newer build`);
  }
  const env = envOf(current);
  for (const [command, code] of [
    [['migrate'], 6],
    [['up', '--port', '0'], 6],
    [['doctor'], 1],
  ] as const) {
    const said = await say(command, env);
    expect([command, said.code, said.out + said.err]).toEqual([
      command,
      code,
      expect.stringContaining(`needs a build that has ${floor}`),
    ]);
  }
});
