// Processes that another one keeps: a start that fails for want of a process is tried again, and one that shows no sign of
// life is given its time.
// Covers: cli/lane.ts
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLane } from '../../cli/lane.ts';
import type { Db } from '../../ledger/db.ts';
import type { Lane } from '../../workers/quarantine.ts';
import { newId } from '../../shared/ids.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { lives, startProcess } from '../support/processes.ts';

const { argv } = process;
let folder: string;
let file: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await createFolder();
  file = join(folder, 'part.cjs');
  await writeFile(
    file,
    `require('node:fs').appendFileSync(process.env.PIDS, process.pid + '\\n');
    process.send({ type: 'ready', url: 'here' });
    process.once('disconnect', () => process.exit());
    process.once('SIGTERM', () => process.exit());`,
  );
});
beforeEach(async () => {
  env = { PIDS: join(folder, newId()) };
  await writeFile(env['PIDS'] ?? '', '');
});
afterEach(() => {
  process.argv = argv;
});

/** All lives of the test's process so far. */
function pids(): number[] {
  const lines = readFileSync(env['PIDS'] ?? '', 'utf8').split('\n');
  return lines.slice(0, -1).map(Number);
}
afterAll(() => removeFolder(folder));

/** Its own process: where node is to be found can be changed there. Prints what the two keepers say. */
const keepers = `
import { startChild } from './dist/cli/child.js';
import { createLane } from './dist/cli/lane.js';
const { execPath } = process;
const hide = (hidden) => void (process.execPath = hidden ? '/nowhere/node' : execPath);
const say = (line) => console.log(line);
process.argv[1] = process.env.FILE;
const env = { PIDS: process.env.PIDS };
let noMemory = false;
const program = {
  execArgv: [],
  get file() {
    if (noMemory && !(noMemory = false)) throw new Error('spawn ENOMEM');
    return process.env.FILE;
  },
};
const options = { part: 'work', program, env, onLine: say, say };
hide(true);
await startChild(options).ready.catch((error) => say('first: ' + error.message));
hide(false);
const child = startChild({ ...options, onEnd: () => hide((noMemory = true)) });
await child.ready;
say('ready');
const emit = (_name, { message }) => say('lane: ' + message);
const lane = createLane({ db: {}, emit, env, graceMs: 100, leadMs: 60_000, ended: () => undefined });
process.on('SIGUSR2', () => hide(false));
process.on('SIGHUP', () => setInterval(() => lane.ensure(true), 50));
process.on('SIGTERM', () => Promise.all([child.stop(1_000), lane.stop()]).then(() => process.exit()));`;

test('a part, and a lane, for which no process can be made are tried until one can', async () => {
  const keeper = startProcess(['--input-type=module', '--eval', keepers], {
    env: { PATH: process.env['PATH'], FILE: file, ...env },
  });
  await keeper.says('ready');
  expect(keeper.output()).toMatch(/^first: .*ENOENT/);
  process.kill(pids()[0] ?? 0, 'SIGKILL');
  await keeper.says('work ended before it began: spawn ENOMEM; starting it again in');
  await keeper.says('work ended before it began: spawn /nowhere/node ENOENT; starting it again in');
  keeper.child.kill('SIGHUP');
  await keeper.says('lane: the quarantine lane did not start: spawn /nowhere/node ENOENT');
  keeper.child.kill('SIGUSR2');
  await eventually('both run', () => pids().length === 3);
  expect(await keeper.end('SIGTERM')).toBe(0);
  await eventually('none is left', () => !pids().some(lives));
});

function laneOf(leadMs: number): { lane: Lane; ends: () => number } {
  let ends = 0;
  process.argv = [process.execPath, file];
  const lane = createLane({
    db: {} as Db, // asked only for a death that nobody caused
    emit: () => undefined,
    env,
    graceMs: 1_000,
    leadMs,
    ended: () => (ends += 1),
  });
  return { lane, ends: () => ends };
}

test('a lane that was well a moment ago has its time to show it, however long it has run', async () => {
  const leadMs = 400;
  const { lane, ends } = laneOf(leadMs);
  lane.ensure(true);
  await eventually('it has begun', () => pids().length === 1);
  lane.ensure(false);
  await new Promise((resolve) => setTimeout(resolve, leadMs * 2));
  lane.ensure(true); // its row has lapsed, as after an outage
  lane.ensure(true);
  await new Promise((resolve) => setTimeout(resolve, leadMs / 2));
  expect([lives(pids()[0] ?? 0), ends()]).toEqual([true, 0]);
  await eventually('one that stays silent is ended', () => {
    if (ends() === 0) lane.ensure(true);
    return ends() === 1;
  });
  await lane.stop();
});
