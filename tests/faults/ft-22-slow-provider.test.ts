// A provider that takes far longer than a call may: each call ends at its own limit, the gate closes for both processes, one
// call a closing looks again, no attempt is burned but by the calls that closed it, and the neighbours' jobs start as if nothing were.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { watchGate } from './kit/gate.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

const told = 100;
const callLimitMs = 1_000;
const concurrency = 10;
const processes = 2;
/** Calls without an answer that close the breaker of one process. */
const openers = 4;
// A lease long enough that a busy machine does not lose it: this row is about calls.
const timers = {
  ...calmLeases,
  STORYTIME_PROVIDER_TIMEOUT_MS: String(callLimitMs),
  STORYTIME_GATE_MS: '500',
};

const readStarts = {
  name: 'ft22_starts',
  text: `SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM a.started_at - j.created_at) * 1000)::float8 AS p95
    FROM job j JOIN attempt a ON a.job_id = j.id AND a.attempt_no = 1 WHERE j.kind = 'quick'`,
};
const readCallers = {
  name: 'ft22_callers',
  text: 'SELECT count(DISTINCT worker_id)::int AS count FROM attempt',
};
const readLongest = {
  name: 'ft22_longest',
  text: `SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at) * 1000)::float8 AS ms
    FROM attempt WHERE code = 'unknown_outcome' AND job_id = ANY($1::uuid[])`,
};

const readFailures = {
  name: 'ft22_failures',
  text: 'SELECT sum(failures)::int AS count FROM job WHERE id = ANY($1::uuid[])',
};

faultRow(
  {
    ft: '22',
    tier: 'P',
    name: 'a provider that hangs is left alone by all processes, and its neighbours start at once',
    engines: ['redis'],
    timers,
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work')]);
    const warm = await callFromBoth(world);
    const gate = watchGate(world, 'gemini');
    await sandbox.fault({ provider: 'gemini', fault: { kind: 'delay', ms: callLimitMs * 4 } });
    const slow = await world.caller.enqueueMany(told, () => ['tell', { canary }]);
    const neighbours = await world.caller.enqueueMany(120, () => ['quick', { ms: 5, canary }], {
      perSecond: 20,
    });
    const during = (await sandbox.calls('gemini')).filter(({ fault }) => fault !== undefined);
    await sandbox.clearFaults();
    const recoveryMs = await world.settled(40_000);
    // Those that were under way when it closed, and one probe after each of 0.5, 1, 2, 4 s (and its own second).
    expect(during.length).toBeLessThanOrEqual(processes * concurrency + 5);
    expect(during.length).toBeGreaterThan(2);
    // Shut by an outage, looked at, open at the end; what each call cost is the breaker's to count, not the job's.
    expect(gate.seen().toSorted()).toEqual(['closed: unavailable', 'open', 'probing: unavailable']);
    expect(await gate.now()).toBe('open');
    // Of these jobs alone: a machine with much to do may be slow with the very first calls.
    const ids = slow.flatMap(({ jobId }) => jobId ?? []);
    expect(await failuresOf(world, ids)).toBeLessThanOrEqual(processes * openers);
    expect(await startP95(world)).toBeLessThan(1_000);
    const [{ ms } = { ms: 0 }] = await world.db.run<{ ms: number }>(readLongest, [ids]);
    expect(ms).toBeLessThan(callLimitMs + 1_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: warm + told + neighbours.length };
  },
);

/** The provider goes slow, it was not so from the start: both processes have called it. Gives how many jobs that took. */
async function callFromBoth({ caller, settled, db }: World): Promise<number> {
  await eventually('both processes have called', async () => {
    await caller.enqueueMany(20, () => ['tell', { canary }]);
    await settled(20_000);
    const [row] = await db.run<{ count: number }>(readCallers, []);
    return row?.count === 2;
  });
  return caller.wishes.length;
}

async function startP95({ db }: World): Promise<number> {
  const [row] = await db.run<{ p95: number }>(readStarts, []);
  return row?.p95 ?? Infinity;
}

async function failuresOf({ db }: World, ids: readonly string[]): Promise<number> {
  const [row] = await db.run<{ count: number }>(readFailures, [ids]);
  process.stdout.write(`${row?.count} failures\n`);
  return row?.count ?? Infinity;
}
