// What a machine must have before anything starts: a Node that can read the code, a folder for its files, a time zone.
// Covers: cli/start.ts, cli/time-zone.ts
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { timeZoneProblem } from '../../cli/time-zone.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { say } from './world.ts';

/** Whatever is not refused before it fails at once. */
const away = { DATABASE_URL: 'postgres://127.0.0.1:1/x' };

let folder: string;
beforeEach(async () => {
  folder = await createFolder();
});
afterEach(() => removeFolder(folder));

/** Runs a script of the folder in a Node that says it is of this version. */
function runOn(version: string, script: string): Promise<{ code: unknown; err: string }> {
  const change = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(change)}`, script];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, _out, err) =>
      resolve({ code: error?.code ?? 0, err }),
    );
  });
}

test.each([
  ['the build', 'scripts/build.mjs'],
  ['the command line', 'dist/cli/main.js'],
])('%s says in one line that Node will not do, before it loads anything else', async (_, script) => {
  // Nothing but these is here: what would be loaded before the line would fail otherwise.
  const files = ['package.json', 'scripts/node-version.mjs', 'dist/scripts/node-version.mjs', script];
  await Promise.all(files.map((file) => cp(file, join(folder, file))));
  for (const version of ['18.19.0', '20.18.3', '9.11.2', '21.7.3', '22.11.0', '23.9.0'])
    expect(await runOn(version, script)).toEqual({
      code: 2,
      err: `this needs Node ^20.19 || ^22.12 || >=24, and it is ${version}: install one of these and start again\n`,
    });
  for (const version of ['20.19.0', '22.12.0', '24.0.0', '25.1.0'])
    expect((await runOn(version, script)).err).not.toContain('this needs Node');
});

/** As a user who may not write what belongs to another; the superuser may write everything. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('a folder that cannot be written, of the system or of its logs, is told by its path before anything starts', async () => {
  const home = join(folder, 'home');
  const logs = join(home, 'logs');
  mkdirSync(home);
  writeFileSync(logs, '');
  const taken = await say(['up'], { ...away, STORYTIME_HOME: home });
  expect(taken).toMatchObject({ code: 2, err: expect.stringContaining(`${logs} cannot be written: EEXIST`) });
  chmodSync(folder, 0o555);
  const closed = await asNobody(() => say(['up'], { ...away, STORYTIME_HOME: join(folder, 'other') }));
  chmodSync(folder, 0o700);
  expect(closed.code).toBe(2);
  expect(closed.err).toContain(`${join(folder, 'other')} cannot be written: EACCES`);
});

test('a time zone that does not exist is told by every command, and by the doctor', async () => {
  for (const command of ['migrate', 'keys create --name x', 'jobs show x']) {
    const { code, err } = await say(command.split(' '), { ...away, TZ: 'Mars/Base' });
    expect([command, code, err]).toEqual([
      command,
      2,
      expect.stringContaining('"Mars/Base" is not a time zone'),
    ]);
  }
  expect((await say(['--help'], { TZ: 'Mars/Base' })).code).toBe(0);
  const doctor = await say(['doctor'], {
    TZ: 'Mars/Base',
    DATABASE_URL: 'mysql://x',
    STORYTIME_SANDBOX_URL: 'http://127.0.0.1:1',
    STORYTIME_SANDBOX_SMTP_URL: 'smtp://127.0.0.1:1',
  });
  expect(doctor.out).toMatch(/✗ configuration +TZ "Mars\/Base" is not a time zone/);
  expect(doctor.out).toMatch(/✗ configuration +DATABASE_URL/);
});

test('a time zone by name, by rule or by file is one', () => {
  for (const TZ of ['', 'UTC', 'Europe/Berlin', ':Europe/Berlin', 'CET-1CEST', '<+03>-3', ':/etc/passwd'])
    expect([TZ, timeZoneProblem({ TZ })]).toEqual([TZ, undefined]);
  for (const TZ of ['Mars/Base', 'Berlin', '/nowhere', ' ']) expect(timeZoneProblem({ TZ })).toContain('TZ');
  expect(timeZoneProblem({})).toBeUndefined();
});
