// FLUSHALL under load, twice. No connection breaks and no error comes: only the canary tells. Everything is given to Redis again,
// and no engine id is used a second time.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { askRedis } from './kit/census.ts';
import { begunTwice, expectAccepted, mixed, noticesOf, settleAfterLoss } from './kit/loss.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases } from './kit/world.ts';

const jobs = 1_000;
const reconcileMs = 1_000;

faultRow(
  {
    ft: '13',
    tier: 'P',
    engines: ['redis'],
    name: 'two flushes under load are noticed, and lose nothing',
    timers: calmLeases,
  },
  async (world) => {
    await world.start('api');
    const workers = await Promise.all([world.start('work'), world.start('work')]);
    const enqueuing = world.caller.enqueueMany(jobs, mixed, { perSecond: 200 });
    const found: number[] = [];
    for (const flush of [1, 2]) {
      await eventually('jobs come', () => world.caller.acknowledged().length >= flush * 300);
      const at = Date.now();
      await askRedis(world.redis?.port ?? 0, 'FLUSHALL');
      await eventually(`flush ${flush} is noticed`, () => noticesOf(workers).length >= flush, 15_000);
      found.push((noticesOf(workers)[flush - 1]?.at ?? 0) - at);
    }
    await enqueuing;
    const recoveryMs = await settleAfterLoss(world, jobs / 5);
    expect(noticesOf(workers).map(({ doubt }) => doubt)).toEqual(['missing', 'missing']);
    // The next look sees it; the other second is a busy machine's.
    expect(Math.max(...found)).toBeLessThan(reconcileMs + 1_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect([counts.extraCalls, await begunTwice(world)]).toEqual([0, []]);
    expectAccepted(world);
    return { ...counts, recoveryMs, jobs };
  },
);
