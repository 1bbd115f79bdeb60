// The disk of the log and of temporary files is full: the process works on, says afterwards what its log has lost, and leaves no
// half of a file. Needs root, for a disk of 8 MB.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '../../support/house.ts';
import { faultRow } from '../kit/row.ts';
import { canary, type World } from '../kit/world.ts';

const total = 100;

/** A disk of 8 MB in the row's folder; `fill` leaves no byte of it. */
function mountDisk(world: World): {
  path: string;
  fill: () => void;
  makeRoom: () => void;
  remove: () => void;
} {
  const path = join(world.folder, 'disk');
  mkdirSync(path);
  if (process.getuid?.() !== 0)
    throw new Error('FT-38 failed: mounting a small disk needs root; run it as root');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    },
    makeRoom: () => rmSync(ballast),
    remove: () => void execFileSync('umount', ['-l', path]),
  };
}

/** A work process as a shell would start it: `storytime work > work.log`. */
function startOn(world: World, log: string, env: Record<string, string>): ChildProcess {
  const file = openSync(log, 'a');
  const child = spawn(process.execPath, ['dist/tests/faults/programs/part.js', 'work'], {
    stdio: ['ignore', file, file],
    env: { ...world.env, ...env },
  });
  closeSync(file);
  return child;
}

faultRow(
  {
    ft: '38',
    tier: 'N',
    name: 'with a full disk for logs and temporary files every job is done, and the log goes on when there is room',
    engines: ['postgres'],
  },
  async (world) => {
    const disk = mountDisk(world);
    const log = join(disk.path, 'work.log');
    const work = startOn(world, log, { TMPDIR: disk.path });
    try {
      await world.start('api', { env: { TMPDIR: disk.path } });
      await eventually('it is ready', () => readFileSync(log, 'utf8').includes('work is ready'));
      disk.fill();
      await world.caller.enqueueMany(total, () => ['pay', { steps: 2, callMs: 20, canary }]);
      const recoveryMs = await world.settled(30_000);
      expect([work.exitCode, work.signalCode]).toEqual([null, null]);
      expect(readdirSync(disk.path).toSorted()).toEqual(['ballast', 'work.log']);

      disk.makeRoom();
      await world.caller.enqueueMany(5, () => ['sleep', { ms: 1, canary }]);
      await eventually('the log says what it lost', () =>
        /"lost":\d+,"message":"\d+ lines of this log were lost/.test(readFileSync(log, 'utf8')),
      );
      await world.settled(10_000);
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
      expect(readFileSync(log, 'utf8')).not.toContain(canary);
      return { ...counts, recoveryMs, jobs: total + 5 };
    } finally {
      work.kill('SIGKILL');
      disk.remove();
    }
  },
);
