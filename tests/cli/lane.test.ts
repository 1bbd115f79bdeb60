// The process of the quarantine lane and the work process that started it: however the latter ends, the former does not
// outlive it, and neither does any other part the process that forked it.
// Covers: cli/lane.ts, cli/lane-work.ts, shared/parent.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually, openHouse, type House } from '../support/house.ts';
import { lives, startProcess, type TestProcess } from '../support/processes.ts';
import { faultRegistry } from '../faults/programs/kinds.ts';

const program = 'dist/tests/faults/programs/part.js';
/** Forks a part as `up` does, and goes on with `then`. */
const parentOf = (args: readonly string[], then = ''): string[] => [
  '--input-type=module',
  '--eval',
  `import { fork } from 'node:child_process';
import { writeSync } from 'node:fs';
const child = fork('${program}', ${JSON.stringify(args)}, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
writeSync(1, 'child ' + child.pid + '\\n');
${then}`,
];

let database: TestDatabase;
let folder: string;
let house: House;
let env: NodeJS.ProcessEnv;
let parent: TestProcess;
let lane = 0;
beforeAll(async () => {
  [database, folder] = await Promise.all([createDatabase(), createFolder()]);
  house = await openHouse({ databaseUrl: database.url, registry: faultRegistry, work: false });
  env = {
    PATH: process.env['PATH'],
    DATABASE_URL: database.url,
    STORYTIME_HOME: folder,
    STORYTIME_SANDBOX: 'on',
    STORYTIME_WORK_PORT: '0',
    STORYTIME_SWEEP_MS: '300',
    STORYTIME_GRACE_MS: '5000',
    STORYTIME_DRAIN_MS: '5000', // right for the process; its lane has less time to stop in
    STORYTIME_LEASE_MS: '60000', // a lane with nothing to do leaves after two: not while a test looks
  };
});
afterEach(async () => {
  await parent.end('SIGKILL');
  if (lives(lane)) process.kill(lane, 'SIGKILL');
});
afterAll(async () => {
  await house.close();
  await database.drop();
  await removeFolder(folder);
});

test('the lane of a work process that is killed ends', async () => {
  const { id } = await house.enqueue('sleep', { ms: 60_000 });
  await house.db.prisma.job.update({ where: { id }, data: { crashes: 2 } });
  parent = startProcess([program, 'work'], { env });
  await parent.says('lane is ready');
  const row = await house.db.prisma.worker.findFirstOrThrow({ where: { queues: { has: 'quarantine' } } });
  lane = row.pid;
  expect([lane === parent.child.pid, lives(lane)]).toEqual([false, true]);
  await parent.end('SIGKILL');
  await eventually('the lane is gone', () => !lives(lane));
  await eventually('it said why', () => parent.output().includes('stopping: the parent process is gone'));
}, 60_000);

test('the lane of a work process that is killed before the lane can hear of it ends', async () => {
  // Dead long before its child has loaded its modules.
  parent = startProcess(parentOf(['work', '--lane'], `process.kill(process.pid, 'SIGKILL');`), { env });
  await parent.says('child ');
  lane = Number(/^child (\d+)$/m.exec(parent.output())?.[1]);
  expect(lives(lane)).toBe(true);
  await eventually('the lane is gone', () => !lives(lane));
  await eventually('it said why', () => parent.output().includes('stopping: the parent process is gone'));
}, 60_000);

test('a work process whose parent is killed dies with it: nobody asked it to leave', async () => {
  const { id } = await house.enqueue('sleep', { ms: 60_000 });
  parent = startProcess(parentOf(['work']), { env });
  const { workerId } = await house.until(id, ({ state }) => state === 'running');
  const look = () => house.db.prisma.worker.findFirstOrThrow({ where: { id: workerId ?? '' } });
  const { pid } = await look();
  await parent.end('SIGKILL');
  await eventually('it is gone', () => !lives(pid));
  expect(parent.output()).toContain('stopping: the parent process is gone');
  expect(await look()).toMatchObject({ drainingAt: null, stoppedAt: null });
}, 60_000);

test('a lane that may take no jobs, because its clock is wrong, leaves its place to another machine', async () => {
  const { id } = await house.enqueue('sleep', { ms: 60_000 });
  await house.db.prisma.job.update({ where: { id }, data: { crashes: 2 } });
  await house.db.prisma.leader.deleteMany(); // of the lanes that were killed
  writeFileSync(join(folder, 'clock'), '60000');
  const moved = {
    ...env,
    STORYTIME_LEASE_MS: '2000',
    STORYTIME_RENEW_MS: '500',
    FAULTS_CLOCK: join(folder, 'clock'),
  };
  const args = ['--import', './tests/faults/kit/preload.js', program, 'work', '--lane'];
  parent = startProcess(args, { env: moved });
  await parent.says('stopping: the quarantine lane takes no jobs: the clock is wrong');
  await eventually('it has left', () => parent.child.exitCode === 0);
  expect(await house.db.prisma.leader.findMany({ where: { duty: 'quarantine' } })).toEqual([]);
}, 60_000);
