// Half of a provider's answers are 429 with a Retry-After: nobody calls before that time, somebody calls soon after it, no
// job uses an attempt up, and all end well once the vendor has calmed down.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { faultRow } from './kit/row.ts';
import type { CallEntry } from './kit/sandbox.ts';
import { calmLeases, canary } from './kit/world.ts';

const jobs = 200;
const askedMs = 3_000;
/** The other process may call on for as long as its answer of the gate is believed. */
const believedMs = 1_300;

// A lease long enough that a busy machine does not lose it: then nothing but a limit could cost a call.
const timers = calmLeases;

const readFailures = { name: 'ft23_failures', text: 'SELECT sum(failures)::int AS failures FROM job' };

faultRow(
  {
    ft: '23',
    tier: 'P',
    name: 'a Retry-After is kept by all processes within a fifth, and costs no attempt',
    engines: ['redis'],
    timers,
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work')]);
    const fault = { kind: 'status', status: 429, headers: { 'retry-after': String(askedMs / 1_000) } };
    await sandbox.fault({ provider: 'gemini', probability: 0.5, fault });
    await Promise.all([
      world.caller.enqueueMany(jobs, () => ['tell', { canary }]),
      world.caller.enqueueMany(20, () => ['quick', { ms: 5, canary }], { perSecond: 4 }),
      delay(10_000),
    ]);
    await sandbox.clearFaults();
    const recoveryMs = await world.settled(40_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
    expect(counts.extraCalls).toBe(0);
    const [row] = await world.db.run<{ failures: number }>(readFailures, []);
    expect(row?.failures).toBe(0);
    expectKept(await sandbox.calls('gemini'));
    return { ...counts, recoveryMs, jobs: jobs + 20 };
  },
);

function expectKept(calls: readonly CallEntry[]): void {
  const refused = calls.filter(({ fault }) => fault !== undefined);
  expect(refused.length).toBeGreaterThan(2);
  const early = refused.flatMap(({ at, step }) =>
    calls.filter((call) => {
      const sinceMs = call.at - at;
      return (
        sinceMs > 0 &&
        (call.step === step ? sinceMs < askedMs * 0.99 : sinceMs > believedMs && sinceMs < askedMs * 0.8)
      );
    }),
  );
  expect(early).toEqual([]);
  // After the last refusal of a pause somebody looks in time. The last fifth of a second is for a busy machine.
  const last = refused.filter(
    ({ at }) => !refused.some((other) => other.at > at && other.at < at + believedMs),
  );
  const waitsMs = last.map(
    ({ at }) => (calls.find((call) => call.at > at + askedMs * 0.8)?.at ?? Infinity) - at,
  );
  process.stdout.write(`FT-23: looked again after ${waitsMs.join(', ')} ms\n`);
  expect(waitsMs.filter((ms) => ms > askedMs * 1.2 + 200)).toEqual([]);
}
