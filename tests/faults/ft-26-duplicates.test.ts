// An engine that delivers everything two or three times, at once and late, also deliveries of generations that are over:
// the ledger lets each generation begin once, so nothing runs, pays or ends twice.
import { expect } from '@jest/globals';
import { openEngine } from '../../engine/connect.ts';
import { eventually } from '../support/house.ts';
import type { Wish } from './kit/client.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

const jobs = 300;

// Long enough that a busy machine does not lose a lease: then nothing but a duplicate could run anything twice.
const timers = calmLeases;
const name = 'deliveries that come twice, thrice and late run, pay and end nothing twice';

faultRow({ ft: '26', tier: 'P', name, timers }, async (world) => {
  await world.start('api');
  await Promise.all([world.start('work'), world.start('work')]);
  const refused = refuseSome(world);
  const copies = await openCopier(world);
  const wishes: Wish[] = [];
  while (wishes.length < jobs) {
    const round = await world.caller.enqueueMany(50, () => ['pay', { steps: 2, callMs: 20, canary }]);
    copies.add(
      round.flatMap(({ jobId = '' }) =>
        world.random() < 0.5
          ? [[jobId, 1]]
          : [
              [jobId, 1],
              [jobId, 1],
            ],
      ),
    );
    wishes.push(...round);
  }
  const recoveryMs = await world.settled(100_000);
  // All over, and still they come: of this generation, of the one before, of one that never was.
  for (const generation of [1, 2, 3]) copies.add(wishes.map(({ jobId = '' }) => [jobId, generation]));
  await copies.done();
  const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
  expect(counts.extraCalls).toBe(0);
  expect(world.bill.entries).toHaveLength(jobs * 2);
  expect(counts.reruns).toBe(refused());
  return { ...counts, recoveryMs, jobs };
});

/** A retry is a new generation, and the copies of the first are stale: one step in six is refused once. */
function refuseSome(world: World): () => number {
  const met = new Set<string>();
  let refused = 0;
  world.bill.meet((step) => {
    const first = !met.has(step);
    met.add(step);
    if (!first || world.random() > 1 / 6) return { how: 'answer' };
    refused += 1;
    return { how: 'refuse', status: 503 };
  });
  return () => refused;
}

interface Copier {
  /** Entries of other ids for these jobs and generations, some at once and some up to two seconds later. */
  add: (those: [jobId: string, generation: number][]) => void;
  /** Resolves when the engine has taken and delivered them all. */
  done: () => Promise<void>;
}

async function openCopier(world: World): Promise<Copier> {
  const { databaseUrl, redis } = world;
  const engine = openEngine({ databaseUrl, redisUrl: redis?.url, workers: 0 });
  const queue = (await engine.ready).queue('play');
  let adding = Promise.resolve();
  let added = 0;
  return {
    add(those) {
      const copies = those.map(([jobId, generation]) => {
        added += 1;
        const data = { jobId, generation, attempt: '1/3', tenant: 'faults', summary: 'pay' };
        const late = world.random() < 0.5 ? 0 : Math.round(world.random() * 2_000);
        return { name: 'pay', data, opts: { jobId: `${jobId}-copy-${added}`, delay: late, attempts: 1 } };
      });
      adding = adding.then(async () => void (await queue.addBulk(copies)));
    },
    async done() {
      await adding;
      await eventually('the engine is empty', async () => {
        const { active = 0, waiting = 0, delayed = 0, prioritized = 0 } = await queue.getJobCounts();
        return active + waiting + delayed + prioritized === 0;
      });
      await queue.close();
      await engine.close();
    },
  };
}
