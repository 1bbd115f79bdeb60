// One job, three processes, and a provider that answers nobody: too few calls in each process for its breaker. The job must not
// die of an outage that it sees alone.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

/** More than the job has: without a gate it is dead before the provider is back. */
const lostCalls = 5;
const attempts = 3;

const readJob = { name: 'ft22_lone_job', text: 'SELECT state::text, failures FROM job' };
const readGate = { name: 'ft22_lone_gate', text: 'SELECT reason FROM gate' };

faultRow(
  {
    ft: '22',
    tier: 'P',
    name: 'a job that is alone outlives an outage that is longer than its attempts',
    engines: ['redis'],
    timers: { ...calmLeases, STORYTIME_GATE_MS: '200' },
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work'), world.start('work')]);
    await sandbox.fault({ provider: 'gemini', fault: { kind: 'reset', billed: false } });
    await world.caller.enqueueMany(1, () => ['tell', { canary }]);
    const lostOrDead = async (): Promise<boolean> =>
      (await sandbox.calls('gemini')).length >= lostCalls || (await jobOf(world)).state === 'dead';
    await eventually('it has lost more calls than it has attempts, or is dead', lostOrDead, 60_000);
    const gates = await world.db.run<{ reason: string }>(readGate, []);
    await sandbox.clearFaults();
    const recoveryMs = await world.settled(20_000);
    const { state, failures } = await jobOf(world);
    expect(state).toBe('succeeded');
    expect(failures).toBeLessThan(attempts);
    expect(gates).toEqual([{ reason: 'unavailable' }]);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 1 };
  },
);

async function jobOf({ db }: World): Promise<{ state: string; failures: number }> {
  const [job] = await db.run<{ state: string; failures: number }>(readJob, []);
  return job ?? { state: 'not there', failures: 0 };
}
