// Ways to leave that are not in the book: told twice, told in the middle of the start, told while engine and ledger are gone.
// The process always leaves within ten seconds, and no job is blamed for it.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from './kit/fleet.ts';
import { faultRow } from './kit/row.ts';
import type { World } from './kit/world.ts';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';

const limitMs = 10_000;

/** Sends the signal; resolves with its exit code. Fails when it takes longer than the limit. */
async function leave(worker: Member, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  const start = performance.now();
  const code = await worker.term(signal);
  expect(performance.now() - start).toBeLessThan(limitMs);
  return code;
}

async function isRunning(world: World, jobs: number): Promise<void> {
  await eventually('they run', async () => (await world.states())['running'] === jobs);
}

async function toldTwice(world: World): Promise<void> {
  const worker = await world.start('work');
  await isRunning(world, 10);
  const gone = leave(worker);
  await eventually('it is stopping', () => worker.lines.some((line) => line.includes('stopping: SIGTERM')));
  const start = performance.now();
  process.kill(worker.pid, 'SIGINT');
  expect(await gone).toBe(130);
  expect(performance.now() - start).toBeLessThan(1_000);
}

async function toldWhileStarting(world: World): Promise<void> {
  const moments = [50, 300, 600, 1_000, 1_500];
  await Promise.all(
    moments.map(async (ms) => {
      const worker = await world.start('work', { wait: false });
      await delay(ms);
      await leave(worker, 'SIGINT');
    }),
  );
}

async function toldWithoutStores(
  world: World,
  { running, env }: { running: number; env: Record<string, string> },
): Promise<void> {
  const ledger = await startProxy(world.databaseUrl);
  const worker = await world.start('work', { env: { ...env, DATABASE_URL: ledger.url } });
  if (running > 0) await isRunning(world, running);
  await world.redis?.kill();
  ledger.freeze();
  expect(await leave(worker)).toBe(0);
  await ledger.close();
}

faultRow(
  {
    ft: '06',
    tier: 'P',
    name: 'told twice, in the start or without its stores, a process leaves',
    engines: ['redis'],
  },
  async (world) => {
    await world.start('api');
    await world.caller.enqueueMany(20, () => ['sleep', { ms: 8_000 }]);
    await toldTwice(world);
    await toldWhileStarting(world);

    await toldWithoutStores(world, { running: 10, env: {} });
    await world.redis?.restart();
    await Promise.all([world.start('work'), world.start('work')]);
    const recoveryMs = await world.settled(40_000);
    // With nothing to wait for, a long grace is no reason to stay.
    await toldWithoutStores(world, { running: 0, env: { STORYTIME_GRACE_MS: '20000' } });
    expect(await world.db.prisma.job.count({ where: { failures: { gt: 0 } } })).toBe(0);
    const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 20 };
  },
);
