// Redis dies by kill -9 while jobs come in, and is back after three seconds with its file. The API does not notice; work
// processes say so and go on by themselves.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/house.ts';
import { isUp, readiness } from './kit/census.ts';
import { expectAccepted } from './kit/loss.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary } from './kit/world.ts';

const jobs = 1_000;

faultRow(
  {
    ft: '10',
    tier: 'P',
    engines: ['redis'],
    name: 'a Redis that is killed and comes back with its file costs nothing but time',
    redisArgs: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
    timers: calmLeases,
  },
  async (world) => {
    const api = await world.start('api');
    const supervised = { supervised: true };
    const [worker] = await Promise.all([world.start('work', supervised), world.start('work', supervised)]);
    const enqueuing = world.caller.enqueueMany(
      jobs,
      (index) =>
        index % 4 === 0 ? ['pay', { steps: 2, callMs: 20, canary }] : ['quick', { ms: 10, canary }],
      { perSecond: 120 },
    );
    await eventually('jobs come', () => world.caller.acknowledged().length >= 200);
    const told = worker.lines.length; // a slow start may have told that Redis was not there yet
    await world.redis?.kill();
    const killedAt = performance.now();
    await eventually('it is missed', async () => (await readiness(worker.url)).status === 503, 10_000);
    expect((await readiness(worker.url)).body).toContain('"engineReason":"away"');
    expect(await isUp(worker.url, 'engine')).toBe(false);
    expect(await readiness(api.url)).toMatchObject({ status: 200 });
    await delay(Math.max(0, 3_000 - (performance.now() - killedAt)));
    await world.redis?.restart();
    const backAt = performance.now();
    await eventually('it is ready again', async () => (await readiness(worker.url)).status === 200, 10_000);
    expect(await isUp(worker.url, 'engine')).toBe(true);
    await enqueuing;
    const enqueuedMs = performance.now() - backAt;
    const recoveryMs = enqueuedMs + (await world.settled(30_000));
    expect(recoveryMs).toBeLessThan(30_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
    expect(counts.extraCalls).toBe(0);
    expectAccepted(world);
    const missed = worker.lines.slice(told).filter((line) => line.includes('"name":"engine","ready":false'));
    expect(missed).toHaveLength(1);
    return { ...counts, recoveryMs, jobs };
  },
);
