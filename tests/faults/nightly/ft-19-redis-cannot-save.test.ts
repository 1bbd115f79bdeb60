// Redis on a full disk: its save fails and it refuses every write (MISCONF). Jobs are accepted all the same, everyone who asks
// is told why they do not run, and they run when the disk has room. Mounts a small disk: needs root.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../../support/house.ts';
import { isUp, readiness } from '../kit/census.ts';
import { expectAccepted } from '../kit/loss.ts';
import { faultRow } from '../kit/row.ts';
import { canary } from '../kit/world.ts';

const jobs = 200;
const disk = mkdtempSync(join(tmpdir(), `storytime-test-${process.pid}-disk-`));
beforeAll(() => {
  if (process.getuid?.() !== 0) throw new Error('FT-19 mounts a disk of 8 MB: it needs root');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
});
afterAll(() => {
  execFileSync('umount', [disk]);
});

faultRow(
  {
    ft: '19',
    tier: 'N',
    engines: ['redis'],
    name: 'a Redis that cannot save is told by its name, and holds jobs up without losing one',
    redisArgs: ['--dir', disk, '--save', '3600 1'],
  },
  async (world) => {
    const [api, worker] = await Promise.all([world.start('api'), world.start('work')]);
    const client = new Redis(world.redis?.url ?? '');
    for (let key = 0; key < 12; key += 1) await client.set(`junk-${key}`, randomBytes(1_048_576));
    await client.bgsave();
    const isReady = async (): Promise<boolean> => (await readiness(worker.url)).status === 200;
    await eventually('it is missed', async () => !(await isReady()), 10_000);
    await world.caller.enqueueMany(jobs, () => ['pay', { steps: 1, callMs: 5, canary }]);
    expect((await readiness(worker.url)).body).toContain('"engineReason":"not_persisting"');
    const told = await readiness(api.url, '/readyz?verbose');
    expect(told.status).toBe(200);
    expect(told.body).toContain('"engineReason":"not_persisting"');
    expect(await isUp(worker.url, 'engine')).toBe(false);
    expect(worker.lines.filter((line) => line.includes('MISCONF')).length).toBeGreaterThan(0);
    execFileSync('mount', ['-o', 'remount,size=64m', disk]);
    await client.bgsave();
    client.disconnect();
    await eventually('it is ready again', isReady, 10_000);
    const recoveryMs = await world.settled(30_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect(await isUp(worker.url, 'engine')).toBe(true);
    expectAccepted(world);
    return { ...counts, recoveryMs, jobs };
  },
);
