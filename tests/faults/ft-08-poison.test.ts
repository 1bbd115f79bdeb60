// A job that kills the process it runs in, among innocent ones: it may do so a few times, then it is dead and says why. Its
// neighbours all come through, and lose no attempt by it.
// Covers: cli/lane.ts, cli/lane-work.ts, workers/quarantine.ts
import { expect } from '@jest/globals';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { eventually } from '../support/house.ts';
import { faultRow } from './kit/row.ts';
import type { World } from './kit/world.ts';

interface Fate {
  kind: string;
  state: string;
  crashes: number;
  failures: number;
  error_message: string | null;
}

const readFates = {
  name: 'row_fates',
  text: 'SELECT kind, state::text, crashes, failures, error_message FROM job',
};

const readDead = { name: 'row_dead', text: `SELECT id FROM job WHERE state = 'dead'` };

/** Poison is dead after three crashes, four at most; everything else succeeded and lost no attempt. */
async function checkFates(world: World, poisons: number): Promise<void> {
  const fates = await world.db.run<Fate & object>(readFates, []);
  const poison = fates.filter(({ kind }) => kind === 'poison');
  expect(poison).toHaveLength(poisons);
  for (const one of poison) {
    expect(one).toMatchObject({ state: 'dead', error_message: expect.stringMatching(/^poison: .*SIGKILL/) });
    expect([3, 4]).toContain(one.crashes);
  }
  for (const one of fates.filter(({ kind }) => kind !== 'poison'))
    expect(one).toMatchObject({ state: 'succeeded', failures: 0 });
}

/** Bull Board's Failed list is exactly the dead, though no delivery of them lived to fail. */
async function checkFailedList({ databaseUrl, redis, db }: World): Promise<void> {
  const dead = await db.run<{ id: string }>(readDead, []);
  const engine = openEngine({ databaseUrl, redisUrl: redis?.url, workers: 0 });
  const broker = createBroker(engine, ['play']);
  try {
    const [queue] = await broker.boardQueues();
    await eventually('the dead are listed', async () => (await queue?.getFailedCount()) === dead.length);
    const failed = (await queue?.getFailed()) ?? [];
    const ids = failed.map((job) => (job.data as { jobId: string }).jobId);
    expect(new Set(ids)).toEqual(new Set(dead.map(({ id }) => id)));
    for (const job of failed) expect(job.failedReason).toMatch(/^bug: poison: /);
  } finally {
    await broker.close();
    await engine.close();
  }
}

for (const [poisons, good] of [
  [1, 9],
  [3, 97],
] as const) {
  faultRow(
    {
      ft: '08',
      tier: 'P',
      name: `${poisons} of ${poisons + good} jobs kill their process: they die, their neighbours do not`,
      timers: { STORYTIME_LEASE_MS: '1500', STORYTIME_RENEW_MS: '400', STORYTIME_SWEEP_MS: '250' },
    },
    async (world) => {
      await world.start('api');
      const places = new Set<number>(); // among the first thirty, so that the row is not all waiting for restarts
      while (places.size < poisons) places.add(Math.floor(world.random() * Math.min(30, poisons + good)));
      await world.caller.enqueueMany(poisons + good, (index) =>
        places.has(index) ? ['poison', { ms: 100 }] : ['sleep', { ms: 100 }],
      );
      await world.start('work', { supervised: true });
      const recoveryMs = await world.settled(60_000);
      const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12'], {
        finals: ['succeeded', 'dead'],
      });
      await checkFates(world, poisons);
      await checkFailedList(world);
      return { ...counts, recoveryMs, jobs: poisons + good };
    },
  );
}
