// `storytime up` as a newcomer meets it: what it prints is true, what it starts it watches, what it ends it ends.
// Covers: cli/child.ts, cli/deferred.ts, cli/up-print.ts
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { UpNote } from '../../cli/home.ts';
import { openDb } from '../../ledger/db.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { processesOf } from '../support/system.ts';
import { say } from './world.ts';

const program = ['--enable-source-maps', 'dist/cli/main.js'];
let folder: string;
let home: string;
let env: Record<string, string>;
let up: TestProcess;
let note: UpNote;
beforeAll(async () => {
  folder = await createFolder();
  home = join(folder, 'home');
  env = { STORYTIME_HOME: home };
  up = startProcess([...program, 'up', '--port', '0'], { env: { PATH: process.env['PATH'], ...env } });
  await up.says('jobs wait <id> --tree');
  note = JSON.parse(readFileSync(join(home, 'up.json'), 'utf8')) as UpNote;
}, 60_000);
afterAll(async () => {
  await up.end('SIGKILL');
  await eventually('every process has left', () => processesOf(home).length === 0);
  await removeFolder(folder);
});

test('it prints addresses that answer, and keeps what only its owner may read', async () => {
  for (const shown of [
    note.api,
    `${note.dashboard}/ops`,
    `${note.dashboard}/board`,
    note.mailbox ?? '?',
    note.key,
  ])
    expect(up.output()).toContain(shown);
  for (const url of [`${note.api}/readyz`, `${note.dashboard}/login`, note.mailbox ?? '?'])
    expect((await fetch(url)).status).toBe(200);
  expect(note).toMatchObject({ engine: 'postgres', pid: up.child.pid });
  for (const name of ['up.json', 'key', 'link-secret'])
    expect(statSync(join(home, name)).mode & 0o777).toBe(0o600);
});

test('the printed curl is accepted as it stands', async () => {
  const command = /^ {2}(curl [\s\S]*?'\{.*\}')$/m.exec(up.output())?.[1] ?? 'false';
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]);
  const job = JSON.parse(stdout) as { id: string };
  expect(job).toMatchObject({ kind: 'generate-story', state: 'waiting', repeated: false });
  expect((await say(['jobs', 'show', job.id], env)).code).toBe(0);
});

test('while it runs the doctor finds nothing, and a second one on the same folder is refused', async () => {
  const { code, out } = await say(['doctor', '--json'], env);
  expect([code, out]).toEqual([0, expect.not.stringContaining('"fail"')]);
  const second = await say(['up'], env);
  expect([second.code, second.err]).toEqual([
    2,
    expect.stringContaining(`already running on ${home} (process ${up.child.pid})`),
  ]);
});

test('a part that crashes is started again at the same address', async () => {
  const api = processesOf(home).find(({ args }) => args.trim().endsWith('main.js api'));
  if (api === undefined) throw new Error('no api process');
  process.kill(api.pid, 'SIGKILL');
  await up.says('api ended by SIGKILL; starting it again');
  await eventually('the API answers again', async () =>
    fetch(`${note.api}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});

function workPid(): number {
  return processesOf(home).find(({ args }) => args.trim().endsWith('main.js work'))?.pid ?? 0;
}

test('work that crashes leaves its jobs to the next one without waiting for a lease, and the ledger knows how it ended', async () => {
  const first = workPid();
  process.kill(first, 'SIGKILL');
  await eventually('it was started again', () => ![0, first].includes(workPid()));
  const db = openDb({ url: note.databaseUrl, poolSize: 1, statementTimeoutMs: 5_000, emit: () => undefined });
  await eventually(
    'its end is known',
    async () => (await db.prisma.worker.count({ where: { pid: first, crashReason: 'by SIGKILL' } })) === 1,
  );
  await db.close();
});

// Last, because it ends the system.
test('one signal stops everything in order within ten seconds', async () => {
  const start = performance.now();
  expect(await up.end('SIGINT')).toBe(0);
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(existsSync(join(home, 'up.json'))).toBe(false);
  await eventually('every process has left', () => processesOf(home).length === 0, 2_000);
});
