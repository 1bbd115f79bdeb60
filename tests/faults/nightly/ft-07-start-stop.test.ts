// Starting and stopping, over and over: every part, at any moment of its life, ends within five seconds with exit code 0, and
// leaves no connection behind.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartName } from '../kit/fleet.ts';
import { countRedisClients } from '../kit/census.ts';
import { faultRow } from '../kit/row.ts';
import type { World } from '../kit/world.ts';
import { eventually } from '../../support/house.ts';

const rounds = 5;
const perRound = 50;
const atOnce = 4;
const stopMs = 5_000;

/** One life: killed softly when it is ready, or at a moment in its start. */
async function live(world: World, part: PartName): Promise<void> {
  const early = world.random() < 0.5;
  const member = await world.start(part, { wait: !early, env: { STORYTIME_API_PORT: '0' } });
  if (early) await delay(world.random() * 1_500);
  const start = performance.now();
  const code = await member.term();
  expect({ part, early, code, inTime: performance.now() - start < stopMs }).toEqual({
    part,
    early,
    // A signal that comes before Node has loaded the program ends it by itself.
    code: early && code === null ? null : 0,
    inTime: true,
  });
}

/** Sessions at PostgreSQL, whoever made them, and clients at Redis. */
async function connections({ db, redis }: World): Promise<number> {
  const [row] = await db.prisma.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  return (row?.count ?? 0) + (redis === undefined ? 0 : await countRedisClients(redis.port));
}

faultRow(
  {
    ft: '07',
    tier: 'N',
    name: '250 starts and stops on each engine leave nothing behind',
    timeoutMs: 1_200_000,
  },
  async (world) => {
    await world.start('api');
    await world.caller.enqueueMany(20, () => ['sleep', { ms: 50 }]);
    const before = await connections(world);
    for (let round = 0; round < rounds; round += 1) {
      for (let done = 0; done < perRound; done += atOnce)
        await Promise.all((['work', 'api', 'work', 'dashboard'] as const).map((part) => live(world, part)));
      await eventually('no connection is left', async () => (await connections(world)) <= before, 5_000);
    }
    await world.start('work');
    const recoveryMs = await world.settled(30_000);
    const counts = await world.check(['I1', 'I3', 'I5', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 20 };
  },
);
