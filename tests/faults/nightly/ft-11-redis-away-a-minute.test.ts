// Redis dies by kill -9 and stays away for a minute, as a slow failover or a person with a pager would have it. Callers do not
// notice; the work processes that were there before take up their work again, without a restart (bullmq#4585: Workers that
// stayed deaf after a long outage).
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/house.ts';
import { readiness } from '../kit/census.ts';
import { recordReadiness } from '../kit/ready.ts';
import { faultRow } from '../kit/row.ts';
import { calmLeases, canary } from '../kit/world.ts';

const jobs = 500;
const awayMs = 60_000;
const make = (index: number): [string, object] =>
  index % 4 === 0 ? ['pay', { steps: 2, callMs: 200, canary }] : ['quick', { ms: 200, canary }];

faultRow(
  {
    ft: '11',
    tier: 'N',
    engines: ['redis'],
    name: 'after a minute without Redis the same work processes go on, and no caller has noticed',
    redisArgs: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
    timers: calmLeases,
  },
  async (world) => {
    const api = await world.start('api');
    const workers = await Promise.all([world.start('work'), world.start('work')]);
    const records = workers.map((worker) => recordReadiness(() => worker.url));
    await world.caller.enqueueMany(jobs / 2, make);
    await world.redis?.kill();
    const killedAt = Date.now();
    expect((await world.states())['waiting']).toBeGreaterThan(0); // it died with work in it
    await world.caller.enqueueMany(jobs / 2, make, { perSecond: 5 });
    expect(await readiness(api.url)).toMatchObject({ status: 200 });
    for (const record of records) expect(record.turned('red', killedAt)).toBeLessThan(10_000);
    await delay(awayMs - (Date.now() - killedAt));
    await world.redis?.restart();
    const backAt = Date.now();
    const recoveryMs = await world.settled(60_000);
    await eventually('all are ready', () => records.every((one) => one.turned('green', backAt) < Infinity));
    for (const record of records) {
      const redAt = killedAt + record.turned('red', killedAt);
      expect(redAt + record.turned('green', redAt)).toBeGreaterThan(backAt); // red all the while
      expect(record.turned('green', backAt)).toBeLessThan(10_000);
      record.stop();
    }
    expect(world.caller.sent.map(({ status }) => status)).toEqual(Array(jobs).fill(202));
    expect(world.members.flatMap(({ ends }) => ends)).toEqual([]);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect(counts.extraCalls).toBe(0);
    return { ...counts, recoveryMs, jobs };
  },
);
