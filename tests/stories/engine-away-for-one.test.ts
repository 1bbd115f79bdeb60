// Covers: workers/care.ts, workers/maintenance/loop.ts
// One process is cut off from the engine, and it is the one that has the lead. The others are well, and so is the house.
import { expect, test } from '@jest/globals';
import { createDatabase } from '../support/database.ts';
import { eventually, openHouse, type House } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis.ts';

const open = (databaseUrl: string, redisUrl: string): Promise<House> =>
  openHouse({ databaseUrl, redisUrl, handlers: { play: () => Promise.resolve({}) } });

/** As the rescuer leaves it when what it gives back could not be carried. */
const givenBack = {
  name: 'test_given_back',
  text: `UPDATE job SET generation = generation + 1, run_at = now(), dispatched_at = NULL, claimed_until = now() WHERE id = $1`,
};

test('a job that the leader cannot give to the engine is given by another process', async () => {
  const [database, redis] = await Promise.all([createDatabase(), startRedis()]);
  const proxy = await startProxy(redis.url);
  const first = await open(database.url, proxy.url);
  const second = await open(database.url, redis.url);
  const leader = async (): Promise<string | undefined> =>
    (await first.db.prisma.leader.findFirst({ where: { duty: { startsWith: 'maintenance' } } }))?.holder;
  await eventually('both have the engine', () => first.broker.ready && second.broker.ready);
  await eventually('the first leads', async () => (await leader()) === first.work?.workerId);
  proxy.cut();
  const { id } = await second.enqueue('play', {}, { options: { delayMs: 600_000 } });
  await second.relay.idle();
  await second.db.run(givenBack, [id]);
  expect(await second.until(id, ({ state }) => state === 'succeeded')).toMatchObject({ generation: 2 });
  await eventually('the second leads', async () => (await leader()) === second.work?.workerId);
  proxy.restore();
  await Promise.all([first.close(), second.close()]);
  await Promise.all([redis.stop(), proxy.close()]);
  await database.drop();
}, 60_000);
