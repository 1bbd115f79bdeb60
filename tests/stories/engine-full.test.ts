// Covers: engine/pressure.ts
// A Redis that runs out of memory, or refuses writes: jobs are accepted all the same, wait in the ledger, and run when there is
// room. Whoever asks is told why.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { pressureOf, reasonOf } from '../../engine/pressure.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { removeFolder } from '../support/folders.ts';
import { eventually, openHouse, type House } from '../support/house.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let database: TestDatabase;
let redis: TestRedis;
let house: House;
let client: Redis;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  await house.close();
  client.disconnect();
  await redis.kill(); // one that cannot save refuses to end in order
  await redis.stop();
  await database.drop();
});

const play = () => Promise.resolve({});

async function open(...args: string[]): Promise<void> {
  redis = await startRedis({ args });
  client = new Redis(redis.url);
  house = await openHouse({ databaseUrl: database.url, redisUrl: redis.url, handlers: { play } });
  await succeeds(await enqueue());
}

const enqueue = async (): Promise<string> => (await house.enqueue('play', {})).id;
const succeeds = (id: string) => house.until(id, (row) => row.state === 'succeeded');

const megabyte = 'x'.repeat(1_048_576);

/** Puts somebody else's data into Redis until this share of its limit is used. */
async function fill(share: number): Promise<void> {
  for (let key = 0; ; key += 1) {
    const info = await client.info('memory');
    const [used = 0, limit = 1] = ['used_memory', 'maxmemory'].map((name) =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]),
    );
    if (used / limit >= share) return;
    await client.set(`junk-${share}-${key}`, megabyte);
  }
}

test('above 85 % of its memory nothing is added to Redis, above 90 % nothing is taken; all of it waits and runs later', async () => {
  await open('--maxmemory', '100mb');
  await fill(0.86);
  await eventually('adds are held', () => house.broker.pressure.holdsAdds);
  const waiting = await enqueue();
  expect(await house.relay.sweep()).toBe(0);
  expect(await house.until(waiting, () => true)).toMatchObject({ state: 'waiting', dispatchedAt: null });
  expect(await house.work?.ready()).toMatchObject({ engine: true, engineReason: 'memory_high', held: [] });
  await fill(0.91);
  await eventually('takes are held', () => house.broker.pressure.holdsTakes);
  expect(await house.work?.ready()).toMatchObject({ engine: true, held: ['engine_full'] });
  await client.config('SET', 'maxmemory', '300mb');
  await succeeds(waiting);
  expect(await house.work?.ready()).toMatchObject({ engine: true, engineReason: null, held: [] });
  const told = house.seen('engine.pressure').map(({ holdsAdds, holdsTakes }) => [holdsAdds, holdsTakes]);
  expect(told).toEqual([
    [true, false],
    [true, true],
    [false, false],
  ]);
});

test('a Redis that cannot save and refuses writes is not ready, with that as the reason, until it can again', async () => {
  await open('--save', '3600 1');
  await eventually('it is there', async () => (await house.work?.ready())?.engine === true);
  const before = house.seen('dependency.changed').length;
  const [, folder = ''] = await client.config('GET', 'dir');
  await removeFolder(folder);
  await client.bgsave();
  await eventually('it is missed', async () => (await house.work?.ready())?.engine === false);
  expect(await house.work?.ready()).toMatchObject({ engine: false, engineReason: 'not_persisting' });
  const told = house.seen('dependency.changed').slice(before);
  expect(told.filter(({ name, ready }) => name === 'engine' && !ready)).toEqual([
    expect.objectContaining({ message: expect.stringContaining('MISCONF') }),
  ]);
  const id = await enqueue();
  await client.config('SET', 'stop-writes-on-bgsave-error', 'no');
  await succeeds(id);
  expect(await house.work?.ready()).toMatchObject({ engine: true, engineReason: null });
});

const facts = (usedBytes: number, limitBytes = 1_000) => ({
  usedBytes,
  limitBytes,
  evictionPolicy: 'noeviction',
  appendOnly: true,
  lastSaveOk: true,
});

test('a pressure is left only five points below where it began, and a server without a limit has none', async () => {
  await open();
  let pressure = { usedShare: 0, holdsAdds: false, holdsTakes: false };
  const held = [849, 850, 810, 899, 900, 855, 845, 799].map((used) => {
    pressure = pressureOf(facts(used), pressure);
    return Number(pressure.holdsAdds) + Number(pressure.holdsTakes);
  });
  expect(held).toEqual([0, 1, 1, 1, 2, 2, 1, 0]);
  for (const without of [undefined, facts(5_000, 0)])
    expect(pressureOf(without, { ...pressure, holdsAdds: true })).toMatchObject({ holdsAdds: false });
  expect(
    ['OOM command not allowed', 'READONLY You can', 'engine failed: NOAUTH Authentication', 'gone'].map(
      reasonOf,
    ),
  ).toEqual(['memory_full', 'read_only', 'not_allowed', 'away']);
});
