// 200 children that end at once in 4 processes, two of which are killed on the way: their waiter runs exactly once.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase } from '../support/database.ts';
import { eventually, openHouse } from '../support/house.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
const processes: TestProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  await redis.stop();
});

async function startCrowd(databaseUrl: string, redisUrl: string | undefined): Promise<TestProcess> {
  const started = startProcess([
    '--import',
    'tsx',
    'tests/support/crowd.ts',
    JSON.stringify({ databaseUrl, redisUrl }),
  ]);
  processes.push(started);
  await started.says('ready');
  return started;
}

for (const engine of ['postgres', 'redis'] as const) {
  test(`${engine}: 200 children in 4 processes, with kills, run their waiter exactly once`, async () => {
    const database = await createDatabase();
    const redisUrl = engine === 'redis' ? redis.url : undefined;
    const house = await openHouse({ databaseUrl: database.url, redisUrl, work: false });
    const { prisma } = house.db;
    const [first, second, ...rest] = await Promise.all(
      [1, 2, 3, 4].map(() => startCrowd(database.url, redisUrl)),
    );
    const { id } = await house.enqueue('play', { children: 200 });
    const ended = (): Promise<number> =>
      prisma.job.count({ where: { parentId: id, kind: 'play', state: 'succeeded' } });
    await eventually('30 children have ended', async () => (await ended()) >= 30);
    await first?.end('SIGKILL');
    await eventually('90 children have ended', async () => (await ended()) >= 90);
    await second?.end('SIGKILL');
    const waiter = await prisma.job.findFirstOrThrow({ where: { parentId: id, kind: 'rest' } });
    const done = await house.until(waiter.id, (job) => job.state === 'succeeded');
    expect(await ended()).toBe(200);
    expect(done).toMatchObject({ attemptNo: 1, generation: 1, openChildren: 0 });
    const children = await prisma.job.findMany({
      where: { waiterId: waiter.id },
      select: { finishedAt: true, failures: true },
    });
    expect(
      children.every(
        (child) =>
          child.finishedAt !== null &&
          child.finishedAt <= (done.startedAt ?? new Date(0)) &&
          child.failures === 0,
      ),
    ).toBe(true);
    expect(await prisma.attempt.count({ where: { jobId: waiter.id } })).toBe(1);
    await Promise.all(rest.map((one) => one.end('SIGTERM')));
    await house.close();
    await database.drop();
  });
}
