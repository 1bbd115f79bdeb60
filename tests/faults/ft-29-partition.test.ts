// A worker that the ledger cannot be reached from, while the engine still delivers to it: by the time its lease has run out it
// has stopped paying, another worker has its jobs, and what it writes when the cable is back is refused.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';
import { startBill } from './kit/bill.ts';
import { recordReadiness } from './kit/ready.ts';
import { faultRow } from './kit/row.ts';

const jobs = 200;
const leaseMs = 2_000;
const awayMs = 6_000;

faultRow(
  {
    ft: '29',
    tier: 'P',
    engines: ['redis'],
    name: 'a worker cut off from the ledger pays for nothing after its lease, and what it writes is refused',
  },
  async (world) => {
    const [proxy, ownBill] = [await startProxy(world.databaseUrl), await startBill()];
    try {
      await world.start('api');
      const env = { DATABASE_URL: proxy.url, FAULTS_BILL_URL: ownBill.url };
      const [lonely] = await Promise.all([world.start('work', { env }), world.start('work')]);
      const record = recordReadiness(() => lonely.url);
      await world.caller.enqueueMany(jobs, () => ['pay', { steps: 5, callMs: 150 }]);
      await eventually('it is paying', () => ownBill.underWay() > 5);
      proxy.spoil({ how: 'blackhole' });
      const cutAt = Date.now();
      await delay(awayMs);
      expect(ownBill.entries.filter(({ at }) => at > cutAt + leaseMs)).toEqual([]);
      proxy.restore();
      const restoredAt = Date.now();
      await world.settled(60_000);
      const recoveryMs = Date.now() - restoredAt;
      await eventually('it is ready', () => record.turned('green', restoredAt) < Infinity);
      expect(record.turned('red', cutAt)).toBeLessThan(4_000);
      expect(record.turned('green', restoredAt)).toBeLessThan(10_000);
      record.stop();
      const alsoCharged = ownBill.entries;
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12'], { alsoCharged });
      // Calls were under way when the cable was pulled: how they ended could not be written before the lease was over.
      expect(counts.refused).toBeGreaterThan(0);
      return { ...counts, recoveryMs, jobs };
    } finally {
      await proxy.close();
      await ownBill.close();
    }
  },
);
