// The API dies between the commit of jobs and their way into the engine: they are in the ledger, so a work process carries them
// over, and the caller who was never answered gets the same job when it asks again with its key.
import { expect } from '@jest/globals';
import { faultRow } from './kit/row.ts';
import { canary } from './kit/world.ts';

const crashes = 6;
const readDelays = {
  name: 'ft33_delays',
  text: `SELECT id, extract(epoch FROM started_at - created_at)::float8 * 1000 AS ms FROM job WHERE id = ANY($1::uuid[])`,
};

faultRow(
  {
    ft: '33',
    tier: 'P',
    engines: ['redis'],
    name: 'an API killed between commit and engine loses no job and makes none twice',
  },
  async (world) => {
    world.plan([{ point: 'enqueue.committed', action: 'kill', nth: 8, times: crashes }]);
    await world.start('api', { supervised: true, env: world.planned() });
    await world.start('work');
    await world.caller.enqueueMany(100, () => ['pay', { steps: 1, callMs: 10, canary }], { parallel: 5 });
    await world.settled(60_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I9', 'I12'], { cutsAllowed: true });
    const hit = world.fired();
    expect(hit).toHaveLength(crashes);
    // Each of these was committed by a process that told nobody; its caller has the same job all the same.
    expect(world.caller.acknowledged()).toEqual(expect.arrayContaining(hit.map(({ jobId }) => jobId)));
    expect(new Set(world.caller.acknowledged()).size).toBe(100);
    const rows = await world.db.run<{ ms: number }>(readDelays, [hit.map(({ jobId }) => jobId)]);
    const recoveryMs = Math.max(...rows.map(({ ms }) => ms));
    expect(recoveryMs).toBeLessThan(8_000);
    return { ...counts, recoveryMs, jobs: 100 };
  },
);
