// Covers: cli/recover.ts, cli/comparison.ts
// Recovery by hand, on a real engine: told before it is done, done once however often it is asked for.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { addJob, openLedger, query, type LedgerWorld } from '../ledger/world.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { say, type Said } from './world.ts';

let world: LedgerWorld;
let redis: TestRedis;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  [world, redis, folder] = await Promise.all([openLedger(), startRedis(), createFolder()]);
  env = { DATABASE_URL: world.url, REDIS_URL: redis.url, STORYTIME_HOME: folder };
});
afterAll(async () => {
  await Promise.all([world.close(), redis.stop(), removeFolder(folder)]);
});

const recover = (...flags: string[]): Promise<Said> => say(['recover', ...flags], env);

interface Found {
  dryRun: boolean;
  compared: number;
  broughtBack: number;
  forgotten: { queue: string; state: string; jobs: number }[];
}
const found = async (...flags: string[]): Promise<Found> =>
  JSON.parse((await recover('--json', ...flags)).out) as Found;

test('recover tells what the engine has lost, gives it back once, and finds nothing the second time', async () => {
  await Promise.all(Array.from({ length: 12 }, () => addJob(world)));
  await addJob(world, { delayMs: 3_600_000 });
  await query(world, 'UPDATE job SET dispatched_at = now()');
  const queue = 'story-generation';
  const forgotten = [
    { queue, state: 'scheduled', jobs: 1 },
    { queue, state: 'waiting', jobs: 12 },
  ];
  expect(await found('--dry-run')).toMatchObject({ dryRun: true, compared: 13, forgotten, broughtBack: 0 });
  const told = await recover('--dry-run');
  expect([told.code, told.out]).toEqual([0, expect.stringContaining('has lost 13 of 13 jobs')]);
  expect(await found()).toMatchObject({ dryRun: false, compared: 13, forgotten, broughtBack: 13 });
  const client = new Redis(redis.url);
  expect(await client.zcard(`{storytime}:${queue}:prioritized`)).toBe(12);
  expect(await client.zcard(`{storytime}:${queue}:delayed`)).toBe(1);
  client.disconnect();
  expect(await found()).toMatchObject({ compared: 13, forgotten: [], broughtBack: 0 });
  expect((await recover()).out).toBe(
    'Nothing is lost: the engine holds all 13 jobs that it was given and that have not begun.\n',
  );
});

test('an engine that is short of memory is given nothing by hand either, and the jobs follow later', async () => {
  const client = new Redis(redis.url);
  await client.flushall();
  const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', Math.round(used * 1.1));
  const { broughtBack, forgotten } = await found();
  expect([forgotten.reduce((sum, { jobs }) => sum + jobs, 0), broughtBack]).toEqual([13, 0]);
  expect(await client.keys('{storytime}:story-generation:[0-9a-f]*')).toEqual([]);
  await client.config('SET', 'maxmemory', 0);
  client.disconnect();
  const left = 'SELECT count(*)::int AS jobs FROM job WHERE dispatched_at IS NULL';
  expect(await query(world, left)).toEqual([{ jobs: 13 }]);
});

test('an engine that does not answer is said, with what to do, and nothing is compared', async () => {
  const said = await say(['recover'], { ...env, REDIS_URL: 'redis://127.0.0.1:1' });
  expect([said.code, said.out]).toEqual([1, '']);
  expect(said.err).toMatch(/the engine cannot be looked into: .+; see `storytime doctor`/);
});
