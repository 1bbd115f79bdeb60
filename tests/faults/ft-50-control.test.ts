// The control: without a fault the checker finds nothing, and nothing is run or paid twice. A harness that is not also right
// about a healthy system proves nothing about a sick one.
import { expect } from '@jest/globals';
import { openEngine } from '../../engine/connect.ts';
import { eventually } from '../support/house.ts';
import { connectionsOf, takeCensus } from './kit/census.ts';
import { allInvariants } from './kit/check.ts';
import { settleAfterLoss } from './kit/loss.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

/** Due in an hour: I8 is about jobs that the engine holds, and at the end there are no others. */
const later = 100;
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
    const [before, files] = [await connectionsOf(world), await filesOf(world)];
    await world.caller.enqueueMany(1_900 - later, some);
    await world.caller.enqueueMany(later, () => ['quick', { canary }, { options: { delayMs: 3_600_000 } }]);
    const recoveryMs = await settleAfterLoss(world, later);
    const counts = await world.check(allInvariants);
    expect(counts).toEqual({ lost: 0, reruns: 0, refused: 0, extraCalls: 0 });
    expect(world.bill.entries).toHaveLength((2_000 - later) / 5);
    expect(await engineText(world)).not.toContain('Ottilie');
    expect(world.caller.sent).toHaveLength(2_000);
    // I11: what the load needed is given back; a pool keeps an idle connection for ten seconds.
    await eventually('as many connections as before', async () => {
      const after = await connectionsOf(world);
      return after.sessions <= before.sessions + 2 && after.redisClients <= before.redisClients;
    });
    for (const [name, count] of await filesOf(world))
      expect([name, count <= (files.get(name) ?? 0) * 1.1 + 10]).toEqual([name, true]);
    return { ...counts, recoveryMs, jobs: 2_000 };
  },
);

/** Open files of each process. */
async function filesOf({ members, db }: World): Promise<Map<string, number>> {
  const census = await takeCensus(members, db);
  return new Map(Object.entries(census.members).map(([name, { files }]) => [name, files]));
}

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
