// Two more ways to take a process along: a job that takes all its memory, and one that throws where nobody can catch it. As
// with poison: the neighbours come through and lose no attempt, the guilty one dies, and the ledger says of what.
import { expect } from '@jest/globals';
import { faultRow } from '../kit/row.ts';
import type { World } from '../kit/world.ts';

const jobs = 10;

async function guilty(world: World, kind: 'oom' | 'stray', reason: RegExp): Promise<void> {
  const rows = await world.db.prisma.job.findMany({
    select: { id: true, kind: true, state: true, failures: true, errorCode: true, errorMessage: true },
  });
  for (const row of rows.filter((one) => one.kind === 'sleep'))
    expect(row).toMatchObject({ state: 'succeeded', failures: 0 });
  const dead = rows.find((one) => one.kind === kind);
  expect(dead).toMatchObject({
    state: 'dead',
    errorCode: 'bug',
    errorMessage: expect.stringMatching(/^poison: /),
  });
  expect(dead?.errorMessage).toMatch(reason);
  const attempts = await world.db.prisma.attempt.findMany({ where: { jobId: dead?.id ?? '' } });
  expect(attempts.length).toBeLessThanOrEqual(4);
}

faultRow(
  { ft: '09', tier: 'N', name: 'a job that takes all memory dies, its neighbours do not' },
  async (world) => {
    await world.start('api');
    await world.caller.enqueueMany(jobs, (index) => (index === 4 ? ['oom', {}] : ['sleep', { ms: 1_500 }]));
    await world.start('work', { supervised: true, nodeArgs: ['--max-old-space-size=128'] });
    const recoveryMs = await world.settled(90_000);
    await guilty(world, 'oom', /SIGABRT: .*heap/);
    const counts = await world.check(['I1', 'I3', 'I5', 'I6', 'I9', 'I12'], {
      finals: ['succeeded', 'dead'],
    });
    return { ...counts, recoveryMs, jobs };
  },
);

faultRow(
  { ft: '09', tier: 'N', name: 'a job that throws where nobody can catch it dies, its neighbours do not' },
  async (world) => {
    await world.start('api');
    await world.caller.enqueueMany(jobs, (index) => (index === 4 ? ['stray', {}] : ['sleep', { ms: 1_500 }]));
    await world.start('work', { supervised: true });
    const recoveryMs = await world.settled(90_000);
    await guilty(world, 'stray', /exit code 1: a throw that nobody can catch/);
    const counts = await world.check(['I1', 'I3', 'I5', 'I6', 'I9', 'I12'], {
      finals: ['succeeded', 'dead'],
      logAllowed: /a fault of ours/,
    });
    return { ...counts, recoveryMs, jobs };
  },
);
