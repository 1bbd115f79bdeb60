// No process of a row outlives the test run.
// Covers: tests/faults/kit/fleet.ts
import { expect, test } from '@jest/globals';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { lives, startProcess } from '../support/processes.ts';

/** Starts a process as a row does, pauses it, and waits to be killed. */
const row = `
import { createFleet } from './tests/faults/kit/fleet.ts';
const member = await createFleet('data:text/javascript,').start('sandbox', process.env);
member.pause();
console.log('paused', member.pid);
setInterval(() => undefined, 1_000);`;

test('a test run that is killed leaves no process behind, not even a paused one', async () => {
  const folder = await createFolder();
  const ports = { STORYTIME_SANDBOX_PORT: '0', STORYTIME_SANDBOX_SMTP_PORT: '0' };
  const env = { PATH: process.env['PATH'], STORYTIME_HOME: folder, ...ports };
  const run = startProcess(['--import', 'tsx', '--input-type=module', '--eval', row], { env });
  await run.says('paused');
  const pid = Number(/paused (\d+)/.exec(run.output())?.[1]);
  expect(lives(pid)).toBe(true);
  await run.end('SIGKILL');
  await eventually('it is gone', () => !lives(pid));
  await removeFolder(folder);
}, 60_000);
