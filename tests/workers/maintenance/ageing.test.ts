import { afterEach, expect, test } from '@jest/globals';
import { engineId } from '../../../engine/types.ts';
import { createRegistry } from '../../../queues/registry.ts';
import { ageing } from '../../../workers/maintenance/ageing.ts';
import { createDatabase } from '../../support/database.ts';
import { eventually, openHouse, playQueue, type House } from '../../support/house.ts';
import { startRedis } from '../../support/redis.ts';

const boundMs = 6_000;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(engine: 'redis' | 'postgres'): Promise<House> {
  const database = await createDatabase();
  const redis = engine === 'redis' ? await startRedis() : undefined;
  const house = await openHouse({
    databaseUrl: database.url,
    redisUrl: redis?.url,
    registry: createRegistry([{ ...playQueue, concurrency: 1 }]),
    timers: { STORYTIME_AGEING_MS: boundMs },
    handlers: { play: () => new Promise((resolve) => setTimeout(resolve, 30, {})) },
  });
  closing.push(house.close, async () => redis?.stop(), database.drop);
  await eventually('the engine is ready', () => house.broker.ready);
  return house;
}

test.each(['redis', 'postgres'] as const)(
  'on %s a low job has its turn within the bound, though urgent ones never cease, and is delivered once',
  async (engine) => {
    const house = await open(engine);
    let ended = false;
    const urge = async (): Promise<void> => {
      while (!ended)
        await house.until((await house.enqueue('play', {}, { options: { priority: 'high' } })).id, done);
    };
    // Five that always wait, so that the low one is never next by itself.
    const steady = Array.from({ length: 5 }, urge);
    await eventually(
      'urgent jobs run',
      async () => (await house.db.prisma.job.count({ where: { state: 'succeeded' } })) > 0,
    );
    const { id } = await house.enqueue('play', {}, { options: { priority: 'low' } });
    const row = await house.until(id, done);
    ended = true;
    await Promise.all(steady);
    expect(row).toMatchObject({ agedFrom: 10, priority: 1, generation: 2, attemptNo: 1 });
    expect(Number(row.startedAt) - Number(row.createdAt)).toBeLessThan(boundMs);
    const before = engineId({ jobId: id, generation: 1 });
    expect(await house.broker.held('play', [before])).toEqual(new Map());
  },
);

test('behind an engine that takes no job, none is taken out of it', async () => {
  for (const broker of [{ ready: false }, { ready: true, pressure: { holdsAdds: true } }]) {
    const told: unknown[] = [];
    const options = { db: undefined, broker, queues: ['play'], boundMs, everyMs: 100 };
    const duty = ageing({ ...options, onCommitted: (rows: unknown) => void told.push(rows) } as never);
    expect([await duty.run(), told]).toEqual([0, []]);
  }
});

function done({ state }: { state: string }): boolean {
  return state === 'succeeded';
}
