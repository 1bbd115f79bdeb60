// A deploy under load: one work process after the other is asked to leave while its successor starts. Nothing is paid twice,
// no attempt is used up, and each one leaves in time with exit code 0.
import { expect } from '@jest/globals';
import type { Member } from './kit/fleet.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary } from './kit/world.ts';
import { eventually } from '../support/house.ts';

const graceMs = 3_000;
// No lease may run out here: a machine that stands still for a second is another row's fault.
const timers = calmLeases;

/** Asks it to leave; resolves with how long that took, in ms. */
async function leave(worker: Member): Promise<number> {
  const start = performance.now();
  expect(await worker.term()).toBe(0);
  return performance.now() - start;
}

faultRow(
  { ft: '04', tier: 'P', name: 'two deploys under load pay nothing twice and use no attempt up', timers },
  async (world) => {
    await world.start('api');
    let worker = await world.start('work');
    // Long ones, too: their steps end in time, their attempts do not.
    await world.caller.enqueueMany(500, (index) =>
      index % 100 === 0
        ? ['pay', { steps: 8, callMs: 300, canary }]
        : ['pay', { steps: 3, callMs: 10, canary }],
    );
    const times: number[] = [];
    for (const calls of [300, 900]) {
      await eventually('the next deploy', () => world.bill.entries.length > calls, 40_000);
      const [next, ms] = await Promise.all([world.start('work'), leave(worker)]);
      times.push(ms);
      worker = next;
    }
    const recoveryMs = await world.settled(40_000);
    expect(Math.max(...times)).toBeLessThan(graceMs + 1_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect(counts).toMatchObject({ extraCalls: 0, refused: 0 });
    expect(await world.db.prisma.job.count({ where: { failures: { gt: 0 } } })).toBe(0);
    expect(
      await world.db.prisma.attempt.count({ where: { outcome: { notIn: ['succeeded', 'interrupted'] } } }),
    ).toBe(0);
    return { ...counts, recoveryMs, jobs: 500 };
  },
);
