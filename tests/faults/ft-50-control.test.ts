// The control: without a fault the checker finds nothing, and nothing is run or paid twice. A harness that is not also right
// about a healthy system proves nothing about a sick one.
import { expect } from '@jest/globals';
import { openEngine } from '../../engine/connect.ts';
import { eventually } from '../support/house.ts';
import { connectionsOf } from './kit/census.ts';
import { allInvariants } from './kit/check.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

// Longer than in the other rows: a machine that stands still for a second is a fault, too.
const timers = { ...calmLeases, STORYTIME_SWEEP_MS: '1000' };

faultRow(
  {
    ft: '50',
    tier: 'P',
    name: 'without a fault 2,000 jobs run once each, and nothing is paid twice',
    timers,
  },
  async (world) => {
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work')]);
    await world.caller.enqueueMany(100, some); // connections are made with the first job
    await world.settled(30_000);
    const before = await connectionsOf(world);
    await world.caller.enqueueMany(1_900, some);
    const recoveryMs = await world.settled(100_000);
    const counts = await world.check(allInvariants);
    expect(counts).toEqual({ lost: 0, reruns: 0, refused: 0, extraCalls: 0 });
    expect(world.bill.entries).toHaveLength(400);
    expect(await engineText(world)).not.toContain('Ottilie');
    expect(world.caller.sent).toHaveLength(2_000);
    // I11: what the load needed is given back; a pool keeps an idle connection for ten seconds.
    await eventually('as many connections as before', async () => {
      const after = await connectionsOf(world);
      return after.sessions <= before.sessions + 2 && after.redisClients <= before.redisClients;
    });
    return { ...counts, recoveryMs, jobs: 2_000 };
  },
);

function some(index: number): [kind: string, payload: object] {
  return index % 10 === 0 ? ['pay', { steps: 2, callMs: 5, canary }] : ['quick', { canary }];
}

/** All that the engine holds of the jobs: what Bull Board can show. */
async function engineText({ databaseUrl, redis }: World): Promise<string> {
  const engine = openEngine({ databaseUrl, redisUrl: redis?.url, workers: 0 });
  const queue = (await engine.ready).queue('side');
  const jobs: Awaited<ReturnType<typeof queue.getJobs>> = [];
  // In pages: BullMQ asks for each job by itself, all at once.
  for (let page = jobs, from = 0; from === 0 || page.length > 0; from += 100) {
    page = await queue.getJobs(['completed', 'failed', 'waiting', 'delayed'], from, from + 99);
    jobs.push(...page);
  }
  expect(jobs.length).toBeGreaterThan(500);
  await queue.close();
  await engine.close();
  return JSON.stringify(jobs.map((job) => job.asJSON()));
}
