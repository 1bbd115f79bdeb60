// A deploy in slow motion: the build before and the next one on one ledger and one engine, each with work of the other.
import { expect } from '@jest/globals';
import { freePort } from '../../../ledger/embedded/port.ts';
import { eventually } from '../../support/house.ts';
import { faultRow } from '../kit/row.ts';
import { calmLeases, canary, type World } from '../kit/world.ts';
import { newerBuild, olderBuild } from '../n-1/builds.ts';

const share = 40;
const readTries = {
  name: 'ft36_tries',
  text: `SELECT max(failures)::int AS failures, max(attempt_no)::int AS tries FROM job`,
};

/** An API of a build on a port of its own. */
async function startApi(world: World, build: string): Promise<string> {
  const env = { STORYTIME_API_PORT: String((await freePort(0)) ?? 0) };
  return (await world.start('api', { build, env })).url;
}

const v1 = (): [string, object] => ['quick', { ms: 5, canary }];
const v2 = (index: number): [string, object] =>
  index % 2 === 0 ? ['quick', { waitMs: 5, canary }] : ['fresh', { canary }];

faultRow(
  {
    ft: '36',
    tier: 'N',
    name: 'old and new builds run side by side: what the old one does not know is parked, then run by the new one',
    timers: calmLeases,
  },
  async (world) => {
    const [older = '.', newer] = [await olderBuild(world.folder), await newerBuild(world.folder)];
    const [oldApi, newApi] = [await startApi(world, older), await startApi(world, newer)];
    const oldWork = await world.start('work', { build: older });

    world.callVia(oldApi);
    await world.caller.enqueueMany(share, v1);
    world.callVia(newApi);
    await world.caller.enqueueMany(share, v2);
    await eventually('old work is done, new work is parked', async () => {
      const { succeeded, parked } = await world.states();
      return succeeded === share && parked === share;
    });

    // The old process stays and idles: it would get whatever of the new work went through the engine.
    const newWork = await world.start('work', { build: newer });
    const start = performance.now();
    await world.settled(20_000);
    const recoveryMs = performance.now() - start;
    expect(oldWork.alive && newWork.alive).toBe(true);

    // Both get everything; then the old one is stopped in the middle of its work.
    world.callVia(oldApi);
    const paid = world.caller.enqueueMany(share, () => ['pay', { steps: 2, callMs: 200, canary }]);
    await Promise.all([paid, world.caller.enqueueMany(share / 2, v1)]);
    world.callVia(newApi);
    await world.caller.enqueueMany(share / 2, v2);
    expect(await oldWork.term()).toBe(0);
    world.callVia(oldApi);
    await world.caller.enqueueMany(share, v1);
    await world.settled(30_000);

    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    const [tries] = await world.db.run<{ failures: number; tries: number }>(readTries, []);
    expect(tries?.failures).toBe(0);
    expect(tries?.tries).toBeLessThanOrEqual(3);
    return { ...counts, recoveryMs, jobs: world.caller.wishes.length };
  },
);
