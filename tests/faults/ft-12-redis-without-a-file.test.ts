// Redis dies by kill -9 under load and had nothing on disk: it comes back empty. Waiting, delayed, snoozed and far jobs are given
// to it again; those that run have their lease and go on.
import { expect } from '@jest/globals';
import {
  begunTwice,
  broughtBackBy,
  expectAccepted,
  killUnderLoad,
  noticesOf,
  settleAfterLoss,
} from './kit/loss.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases } from './kit/world.ts';

const jobs = 1_000;

faultRow(
  {
    ft: '12',
    tier: 'P',
    engines: ['redis'],
    name: 'a Redis that comes back empty gets every job again, and none is done twice',
    redisArgs: ['--save', '', '--appendonly', 'no'],
    timers: calmLeases,
  },
  async (world) => {
    await world.start('api');
    const workers = await Promise.all([world.start('work'), world.start('work')]);
    const { enqueued } = await killUnderLoad(world, jobs);
    await world.redis?.restart();
    await enqueued;
    const recoveryMs = await settleAfterLoss(world, jobs / 5);
    const [notice] = noticesOf(workers);
    expect(notice?.doubt).toBe('missing');
    expect(broughtBackBy(workers)).toBeGreaterThan(jobs / 5);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect([counts.extraCalls, await begunTwice(world)]).toEqual([0, []]);
    expectAccepted(world);
    return { ...counts, recoveryMs, jobs };
  },
);
