// A work process on a machine of its own whose cable is pulled: ledger, engine and provider are gone at once and without a word.
// It stops paying when its lease ends, others have its jobs, and what it still writes when the cable is back is refused.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/house.ts';
import { startBill } from '../kit/bill.ts';
import { openNamespace } from '../kit/namespace.ts';
import { recordReadiness } from '../kit/ready.ts';
import { faultRow } from '../kit/row.ts';

const jobs = 200;
/** Shorter than the cable is out, and long enough that a busy machine loses none of the others'. */
const leaseMs = 5_000;
const awayMs = 15_000;

faultRow(
  {
    ft: '30',
    tier: 'N',
    engines: ['redis'],
    timers: { STORYTIME_LEASE_MS: String(leaseMs), STORYTIME_RENEW_MS: '1000' },
    name: 'a worker whose cable is pulled for 15 s pays for nothing after its lease, and what it writes is refused',
  },
  async (world) => {
    const [machine, ownBill] = [await openNamespace('FT-30'), await startBill()];
    try {
      await world.start('api');
      const env = {
        DATABASE_URL: await machine.reach(world.databaseUrl),
        REDIS_URL: await machine.reach(world.redis?.url ?? ''),
        FAULTS_BILL_URL: new URL(await machine.reach(ownBill.url)).origin,
      };
      const [lonely] = await Promise.all([
        world.start('work', { env, within: machine.within }),
        world.start('work'),
      ]);
      const record = recordReadiness(() => lonely.url, '/readyz', machine.ask);
      await world.caller.enqueueMany(jobs, () => ['pay', { steps: 5, callMs: 200 }]);
      await eventually('it is paying', () => ownBill.underWay() > 5);
      machine.pull();
      const cutAt = Date.now();
      await delay(awayMs);
      machine.plug();
      const pluggedAt = Date.now();
      // A request that left in time may arrive when the cable is back; none may be made.
      const madeLate = ({ sentAt }: { sentAt: number }): boolean =>
        sentAt > cutAt + leaseMs && sentAt < pluggedAt;
      await eventually('it is paying again', () => ownBill.entries.some(({ sentAt }) => sentAt > pluggedAt));
      await world.settled(60_000);
      const recoveryMs = Date.now() - pluggedAt;
      expect(ownBill.entries.filter(madeLate)).toEqual([]);
      await eventually('it is ready', () => record.turned('green', pluggedAt) < Infinity);
      expect(record.turned('red', cutAt)).toBeLessThan(10_000);
      expect(record.turned('green', pluggedAt)).toBeLessThan(10_000);
      record.stop();
      expect(lonely.ends).toEqual([]);
      const alsoCharged = ownBill.entries;
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12'], { alsoCharged });
      expect(counts.refused).toBeGreaterThan(0);
      return { ...counts, recoveryMs, jobs };
    } finally {
      for (const member of world.members) await member.term('SIGKILL');
      await machine.remove();
      await ownBill.close();
    }
  },
);
