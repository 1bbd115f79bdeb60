// A loss of power: Redis had told of writes that its file does not have. The canary is still there; the server's run id says that
// all jobs must be compared.
import { expect } from '@jest/globals';
import { begunTwice, mixed, noticesOf, settleAfterLoss } from '../kit/loss.ts';
import { faultRow } from '../kit/row.ts';

const jobs = 500;

faultRow(
  {
    ft: '14',
    tier: 'N',
    engines: ['redis'],
    name: 'a file cut at its end loses no job',
    redisArgs: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
  },
  async (world) => {
    await world.start('api');
    const workers = await Promise.all([world.start('work'), world.start('work')]);
    await world.caller.enqueueMany(jobs, mixed, { parallel: 40 });
    await world.redis?.kill();
    expect(world.redis?.truncateAof(40_960)).toBeGreaterThan(0);
    await world.redis?.restart();
    const recoveryMs = await settleAfterLoss(world, jobs / 5);
    const [notice] = noticesOf(workers);
    expect(['older', 'restarted', 'missing']).toContain(notice?.doubt);
    expect(notice?.broughtBack).toBeGreaterThan(0);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect(await begunTwice(world)).toEqual([]);
    return { ...counts, recoveryMs, jobs };
  },
);
