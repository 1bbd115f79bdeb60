// A loss of power: Redis had told of writes that its file does not have. The canary is still there; the server's run id says that
// all jobs must be compared.
import { expect } from '@jest/globals';
import {
  begunTwice,
  broughtBackBy,
  expectAccepted,
  killUnderLoad,
  noticesOf,
  settleAfterLoss,
} from '../kit/loss.ts';
import { faultRow } from '../kit/row.ts';
import { calmLeases } from '../kit/world.ts';

const jobs = 500;

faultRow(
  {
    ft: '14',
    tier: 'N',
    engines: ['redis'],
    name: 'a file cut at its end loses no job',
    redisArgs: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
    timers: calmLeases,
  },
  async (world) => {
    await world.start('api');
    const workers = await Promise.all([world.start('work'), world.start('work')]);
    const { enqueued } = await killUnderLoad(world, jobs);
    expect(world.redis?.truncateAof(40_960)).toBeGreaterThan(0);
    await world.redis?.restart();
    await enqueued;
    const recoveryMs = await settleAfterLoss(world, jobs / 5);
    const [notice] = noticesOf(workers);
    expect(['older', 'restarted', 'missing']).toContain(notice?.doubt);
    expect(broughtBackBy(workers)).toBeGreaterThan(0);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect([counts.extraCalls, await begunTwice(world)]).toEqual([0, []]);
    expectAccepted(world);
    return { ...counts, recoveryMs, jobs };
  },
);
