// The fault harness keeps its own promises: what it says it stops, it stops; what it counts is there.
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { askRedis, countRedisClients, readiness, takeCensus } from './kit/census.ts';
import { openWorld } from './kit/world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
afterEach(() => world.close());

test('a plan kills a process at its moment, as often as it says and no more', async () => {
  world = await openWorld({ engine: 'redis', seed: 1 });
  world.plan([{ point: 'step.answered', action: 'kill', step: 'step-2', times: 2 }]);
  await world.start('api');
  const work = await world.start('work', { supervised: true, env: world.planned() });
  const { jobId = '' } = await world.caller.enqueue('pay', { steps: 3, callMs: 5 });
  await world.settled(30_000);
  expect(work.ends.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL']);
  expect(world.fired()).toEqual([
    expect.objectContaining({ point: 'step.answered', jobId, step: 'step-2' }),
    expect.objectContaining({ point: 'step.answered', jobId, step: 'step-2' }),
  ]);
  expect(world.bill.entries.map(({ step }) => step.slice(-1))).toEqual(['1', '2', '2', '2', '3']);
  const counts = await world.check(['I1', 'I3', 'I4', 'I5', 'I6']);
  expect(counts).toMatchObject({ reruns: 2, extraCalls: 2 });
  const { members, sessions } = await takeCensus(world.members, world.db);
  expect(sessions).toBeGreaterThan(0);
  expect(members[work.name]?.files).toBeGreaterThan(10);
  expect(await countRedisClients(world.redis?.port ?? 0)).toBeGreaterThan(2);
  expect(await askRedis(world.redis?.port ?? 0, 'DBSIZE')).toMatch(/^:\d+/);
  expect((await readiness(work.url)).status).toBe(200);
}, 60_000);

test("a server of the row's own stops and comes back, and a moved clock is seen by the process", async () => {
  world = await openWorld({ engine: 'postgres', seed: 1, ownPostgres: true });
  const clock = world.clock('api');
  clock.set(3_600_000);
  const api = await world.start('api', { env: clock.env });
  await eventually('it has said something', () => api.lines.length > 0);
  const { time } = JSON.parse(api.lines[0] ?? '{}') as { time: string };
  expect(Date.parse(time) - Date.now()).toBeGreaterThan(3_500_000);
  await world.postgres?.stopImmediately();
  expect((await world.caller.send('key-of-a-test', { kind: 'quick', payload: {} })).status).toBe(503);
  await world.postgres?.start();
  await eventually('it is accepted', async () => (await world.caller.enqueue('quick')).jobId !== undefined);
  await world.check(['I2', 'I9', 'I12']);
}, 60_000);
