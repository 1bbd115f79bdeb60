// A process that ends, or stands still for longer than its lease, at each named moment of a job's life: between a commit and
// whatever was to follow it. No moment loses a job, ends one twice, or lets a sleeper write when it wakes.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import type { Stop } from './kit/plan.ts';
import { faultRow } from './kit/row.ts';
import { canary } from './kit/world.ts';

/** Of the row that sleeps. */
const jobs = 40;
const moments = [
  'enqueue.committed',
  'dispatch.added',
  'attempt.begun',
  'step.answered',
  'attempt.finishing',
] as const;

faultRow(
  { ft: '51', tier: 'P', name: 'killed at every named moment, twice each, nothing is lost or done twice' },
  async (world) => {
    const stops = moments.map((point): Stop => ({ point, action: 'kill', nth: 12, times: 2 }));
    world.plan(stops);
    const env = world.planned();
    await world.start('api', { supervised: true, env });
    await Promise.all([1, 2].map(() => world.start('work', { supervised: true, env })));
    await world.caller.enqueueMany(
      150,
      (index) => (index % 15 === 0 ? ['children', { count: 3 }] : ['pay', { steps: 2, callMs: 20, canary }]),
      { parallel: 10 },
    );
    const recoveryMs = await world.settled(150_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12'], {
      cutsAllowed: true,
    });
    expect(new Set(world.fired().map(({ point }) => point))).toEqual(new Set(moments));
    const { succeeded = 0 } = await world.states();
    expect(succeeded).toBe(150 + 10 * 4); // three children and the job that waits for them
    return { ...counts, recoveryMs, jobs: succeeded };
  },
);

faultRow(
  {
    ft: '51',
    tier: 'P',
    name: 'a worker that stands still for longer than its lease writes nothing when it wakes',
  },
  async (world) => {
    await world.start('api');
    const [sleeper] = await Promise.all([world.start('work', { env: world.planned() }), world.start('work')]);
    world.plan([{ point: 'step.answered', action: 'stop' }]);
    await world.caller.enqueueMany(jobs, () => ['pay', { steps: 2, callMs: 50, canary }]);
    await eventually('it stands still', () => world.fired().length === 1);
    await world.settled(60_000); // without it
    sleeper.resume();
    const recoveryMs = await world.settled(100_000);
    const told = /"recorded":false/;
    await eventually('it has told of what it could not write', () =>
      sleeper.lines.some((line) => told.test(line)),
    );
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect(counts.refused).toBeGreaterThan(0);
    return { ...counts, recoveryMs, jobs };
  },
);
