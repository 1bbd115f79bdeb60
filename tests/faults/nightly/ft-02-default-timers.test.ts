// The promise that a dead worker's job starts again within 30 s is one about the default timers: measured with them.
import { expect } from '@jest/globals';
import { eventually } from '../../support/house.ts';
import { faultRow } from '../kit/row.ts';

/** What every process has that nobody has set otherwise. */
const scaled = ['LEASE', 'RENEW', 'SWEEP', 'RECONCILE', 'GRACE'].map((name) => `STORYTIME_${name}_MS`);
const readStart = {
  name: 'ft02_start',
  text: `SELECT attempt_no, extract(epoch FROM started_at)::float8 * 1000 AS at FROM job WHERE id = $1`,
};

faultRow(
  { ft: '02', tier: 'N', name: 'with default timers a killed job starts again within 30 s' },
  async (world) => {
    for (const name of scaled) delete world.env[name];
    await world.start('api');
    const first = await world.start('work');
    const { jobId = '' } = await world.caller.enqueue('pay', { steps: 2, callMs: 2_000 });
    await eventually('it is in its first call', () => world.bill.underWay() === 1);
    await world.start('work');
    await first.kill();
    await world.settled(60_000);
    const counts = await world.check(['I1', 'I3', 'I4', 'I6', 'I9']);
    const [row] = await world.db.run<{ attempt_no: number; at: number }>(readStart, [jobId]);
    expect(row?.attempt_no).toBe(2);
    const recoveryMs = (row?.at ?? Infinity) - (first.ends[0]?.at ?? 0);
    expect(recoveryMs).toBeLessThan(30_000);
    return { ...counts, recoveryMs, jobs: 1 };
  },
);
