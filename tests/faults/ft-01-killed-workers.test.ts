// SIGKILL of a worker process in the middle of paid work, again and again: its jobs go on elsewhere, from the step they had
// reached, and what was being paid at that moment is the only thing that may be paid again.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { longestRescue } from './kit/recovery.ts';
import { faultRow } from './kit/row.ts';
import { canary } from './kit/world.ts';

const kills = 10;
const concurrency = 5;

faultRow(
  { ft: '01', tier: 'P', name: 'ten killed workers lose no job, and cost at most the calls they were in' },
  async (world) => {
    await world.start('api');
    const env = { STORYTIME_CONCURRENCY_SCALE: String(concurrency / 10) };
    const workers = await Promise.all([1, 2].map(() => world.start('work', { supervised: true, env })));
    await world.caller.enqueueMany(300, () => ['pay', { steps: 3, callMs: 300, canary }]);
    let hit = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(500 + world.random() * 1_500);
      const victim = workers[world.random() < 0.5 ? 0 : 1];
      await Promise.all(workers.map((worker) => worker.ready())); // two of them, whatever a start takes on this machine
      hit += world.bill.underWay();
      await victim?.kill();
    }
    await world.settled(100_000); // the backlog: half a minute of calls, however soon the kills are over
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect(counts.extraCalls).toBeLessThanOrEqual(kills * concurrency);
    expect(hit).toBeGreaterThan(0);
    const recoveryMs = await longestRescue(world.members, world.db);
    expect(recoveryMs).toBeLessThan(8_000); // a lease and two sweeps are 3 s; the rest is a busy machine's
    return { ...counts, recoveryMs, jobs: 300 };
  },
);
