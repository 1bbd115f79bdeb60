// The disk of the logs and of temporary files is full: API and work process go on, say afterwards what their logs have lost, and
// leave no half of a file, not even of a picture. Needs root, for a disk of 8 MB.
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
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import sharp from 'sharp';
import { eventually } from '../../support/house.ts';
import { readiness } from '../kit/census.ts';
import { addArtifact, addStory } from '../kit/pictures.ts';
import { faultRow } from '../kit/row.ts';
import { canary, type World } from '../kit/world.ts';

const total = 100;

/** Pixels: of noise, so that the file is more than one MB. */
const side = 700;
// How each picture ended, the first one first.
const readEnds = {
  name: 'ft38_ends',
  text: `SELECT concat_ws(' ', state::text, error_code) AS "end" FROM job ORDER BY id`,
};

interface Disk {
  path: string;
  /** Ended before it is removed. */
  users: ChildProcess[];
  fill: () => void;
  makeRoom: () => void;
  remove: () => void;
}

/** A disk of 8 MB in the row's folder; `fill` leaves no byte of it. */
function mountDisk(world: World): Disk {
  const path = join(world.folder, 'disk');
  mkdirSync(path);
  if (process.getuid?.() !== 0)
    throw new Error('FT-38 failed: mounting a small disk needs root; run it as root');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path]);
  const ballast = join(path, 'ballast');
  const users: ChildProcess[] = [];
  return {
    path,
    users,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    },
    makeRoom: () => rmSync(ballast),
    remove() {
      for (const child of users) child.kill('SIGKILL');
      execFileSync('umount', ['-l', path]);
    },
  };
}

/** A process as a shell would start it, with temporary files on the disk, too: `TMPDIR=/disk storytime work > /disk/work.log`. */
async function startOn(
  disk: Disk,
  world: World,
  part: 'api' | 'work',
  program: string,
): Promise<{ child: ChildProcess; log: () => string }> {
  const path = join(disk.path, `${part}.log`);
  const file = openSync(path, 'a');
  const child = spawn(process.execPath, [program, part], {
    stdio: ['ignore', file, file],
    env: { ...world.env, TMPDIR: disk.path },
  });
  closeSync(file);
  disk.users.push(child);
  const log = (): string => readFileSync(path, 'utf8');
  await eventually(`${part} is ready`, () => log().includes(`${part} is ready`));
  return { child, log };
}

/** Both parts, with the caller sent to the API. */
async function startParts(disk: Disk, world: World, program: string): Promise<Parts> {
  const api = `http://127.0.0.1:${world.env['STORYTIME_API_PORT'] ?? ''}`;
  world.callVia(api);
  const parts = [
    await startOn(disk, world, 'api', program),
    await startOn(disk, world, 'work', program),
  ] as const;
  return {
    parts,
    /** Neither has ended, the API calls itself ready, and the disk holds nothing that was not there before. */
    async expectSound() {
      for (const { child } of parts) expect([child.exitCode, child.signalCode]).toEqual([null, null]);
      expect((await readiness(api)).status).toBe(200);
      expect(readdirSync(disk.path).toSorted()).toEqual(['api.log', 'ballast', 'work.log']);
    },
  };
}

interface Parts {
  parts: readonly { log: () => string }[];
  expectSound: () => Promise<void>;
}

const saysLost = /"lost":\d+,"message":"\d+ lines of this log were lost/;

faultRow(
  {
    ft: '38',
    tier: 'N',
    name: 'with a full disk for logs and temporary files every job is done, and the logs go on when there is room',
    engines: ['postgres'],
  },
  async (world) => {
    const disk = mountDisk(world);
    try {
      const { parts, expectSound } = await startParts(disk, world, 'dist/tests/faults/programs/part.js');
      disk.fill();
      await world.caller.enqueueMany(total, () => ['pay', { steps: 2, callMs: 20, canary }]);
      const recoveryMs = await world.settled(30_000);
      await expectSound();

      disk.makeRoom();
      await world.caller.enqueueMany(5, () => ['sleep', { ms: 1, canary }]);
      await eventually('the log says what it lost', () => saysLost.test(parts[1]?.log() ?? ''));
      await world.settled(10_000);
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
      for (const { log } of parts) expect(log()).not.toContain(canary);
      return { ...counts, recoveryMs, jobs: total + 5 };
    } finally {
      disk.remove();
    }
  },
);

faultRow(
  {
    ft: '38',
    tier: 'N',
    name: 'with a full disk for temporary files a picture is done or refused as ever, and no part of a file is left',
    engines: ['postgres'],
  },
  async (world) => {
    await world.startSandbox();
    const disk = mountDisk(world);
    try {
      const { expectSound } = await startParts(disk, world, 'dist/cli/main.js');
      const storyId = await addStory(world);
      const whole = await sharp(randomBytes(side * side * 3), {
        raw: { width: side, height: side, channels: 3 },
      })
        .png()
        .toBuffer();
      disk.fill();
      const start = performance.now();
      for (const [page, bytes] of [whole, whole.subarray(0, whole.length / 2)].entries())
        await world.caller.enqueue('process-image', {
          storyId,
          page,
          artifactId: await addArtifact(world, bytes),
        });
      await world.settled(60_000);
      const recoveryMs = performance.now() - start;
      await expectSound();
      expect((await world.db.run<{ end: string }>(readEnds, [])).map(({ end }) => end)).toEqual([
        'succeeded',
        'dead bad_input',
      ]);
      const finals = ['succeeded', 'dead'];
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12'], { finals });
      return { ...counts, recoveryMs, jobs: 2 };
    } finally {
      disk.remove();
    }
  },
);
