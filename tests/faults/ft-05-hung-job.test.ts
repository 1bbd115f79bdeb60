// A process that is asked to leave holds a job that ignores every word: it leaves in time all the same, with exit code 0, and
// the job goes on elsewhere with the attempt it had.
import { expect } from '@jest/globals';
import { faultRow } from './kit/row.ts';
import { eventually } from '../support/house.ts';

const graceMs = 3_000;

faultRow(
  { ft: '05', tier: 'P', name: 'a hung job cannot hold its process, and goes on elsewhere' },
  async (world) => {
    await world.start('api');
    const worker = await world.start('work');
    const sent = await world.caller.enqueueMany(20, (index) =>
      index === 0 ? ['hang', { ms: graceMs + 4_000 }] : ['sleep', { ms: 200 }],
    );
    const id = sent[0]?.jobId ?? '';
    const hung = () => world.db.prisma.job.findUniqueOrThrow({ where: { id } });
    await eventually('it hangs', async () => (await hung()).state === 'running');
    const start = performance.now();
    expect(await worker.term()).toBe(0);
    const tookMs = performance.now() - start;
    expect(tookMs).toBeGreaterThan(graceMs - 500);
    expect(tookMs).toBeLessThan(graceMs + 2_000);
    expect(await hung()).toMatchObject({ state: 'waiting', failures: 0, attemptNo: 1 });
    await world.start('work');
    const recoveryMs = await world.settled(20_000);
    expect(await hung()).toMatchObject({ state: 'succeeded', failures: 0, crashes: 0, attemptNo: 2 });
    const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 20 };
  },
);
