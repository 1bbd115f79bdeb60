// A job that is alone when its provider goes away: too few calls for a breaker, so its last failure has to close the gate.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Failure, type FailureCode } from '../../shared/errors.ts';
import { newId } from '../../shared/ids.ts';
import { claimProbe, readGates, reopenGate, resetGates, type GateRow } from '../../ledger/gates.ts';
import { openStage, type Stage } from './stage.ts';

const provider = 'gemini';
const gateName = 'gemini-pictures';
let stage: Stage;
let act: () => Promise<unknown>;
beforeEach(() => open({ shutMs: 60_000 }));
afterEach(() => stage.close());

async function open(options: { shutMs?: number }): Promise<void> {
  const retry = { attempts: 2, backoff: 'fixed', delayMs: 1 } as const;
  stage = await openStage({ ...options, handler: () => act(), queue: { retry } });
}

function fail(
  code: FailureCode,
  options: { provider?: string; gate?: string } = { provider, gate: gateName },
): void {
  act = () => Promise.reject(new Failure(code, 'no answer', options));
}

async function gate(): Promise<GateRow | undefined> {
  return (await readGates(stage.db)).gates.get(gateName);
}

/** The time of the closing is over, and somebody's probe finds the provider back. */
async function proveBack(): Promise<void> {
  await stage.db.prisma.$executeRaw`UPDATE gate SET open_until = clock_timestamp() - interval '1 ms'`;
  const probe = newId();
  expect(await claimProbe(stage.db, gateName, probe, 60_000)).toBe(true);
  expect(await reopenGate(stage.db, gateName, probe)).toBe(true);
}

/** A job with one failure behind it: the next one would be its last. */
async function nearlyDead(): Promise<string> {
  const id = await stage.add();
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'retrying' });
  expect(await gate()).toBeUndefined();
  return id;
}

for (const code of ['unavailable', 'timeout', 'unknown_outcome'] as const) {
  test(`${code} of a provider does not end a job that is alone: the gate is closed and the job waits`, async () => {
    fail(code);
    const id = await nearlyDead();
    expect(await stage.deliver(id)).toMatchObject({ failed: false, outcome: 'snoozed' });
    expect(await stage.row(id)).toMatchObject({ state: 'snoozed', failures: 1, errorCode: code });
    expect(await gate()).toMatchObject({ open: false, reason: 'unavailable' });
    expect([...(await readGates(stage.db)).gates.keys()]).toEqual([gateName]); // the other model may be well
    // Later than any other job that waits: theirs is the better probe.
    const { runAt } = await stage.row(id);
    expect(runAt.getTime() - Date.now()).toBeGreaterThan(60_000 * 1.4);
    act = () => Promise.resolve({});
    expect(await stage.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  });
}

test('a job that fails again when others have found the provider back is the cause, and closes nothing more', async () => {
  fail('unavailable');
  const id = await nearlyDead();
  await stage.deliver(id);
  await proveBack();
  expect(await stage.deliver(id)).toMatchObject({ failed: true });
  expect(await gate()).toMatchObject({ open: true });
});

test("an operator's reset is a wish, and proves nothing against the job that comes next", async () => {
  fail('unavailable');
  const id = await nearlyDead();
  await stage.deliver(id);
  await resetGates(stage.db, [gateName]);
  expect(await gate()).toMatchObject({ open: true });
  expect(await stage.deliver(id)).toMatchObject({ failed: false, outcome: 'snoozed' });
  expect(await gate()).toMatchObject({ open: false });
});

test('an outage long past, and an answer that the job itself has got, prove nothing against it', async () => {
  fail('unavailable');
  const id = await nearlyDead();
  await stage.deliver(id);
  act = async () => {
    await proveBack();
    throw new Failure('unavailable', 'its next call', { provider, gate: gateName });
  };
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'snoozed' });
  await proveBack();
  fail('unavailable');
  const other = await stage.add();
  await stage.deliver(other);
  expect(await stage.deliver(other)).toMatchObject({ outcome: 'snoozed' });
});

test('calls without an answer may have been paid for: the tenth is the last that is free', async () => {
  fail('unknown_outcome');
  const id = await nearlyDead();
  for (let call = 0; call < 10; call += 1)
    expect(await stage.deliver(id)).toMatchObject({ outcome: 'snoozed' });
  expect(await stage.deliver(id)).toMatchObject({ failed: true });
});

test('what says nothing about a provider closes no gate', async () => {
  for (const code of ['bad_output', 'bug'] as const) {
    fail(code);
    expect(await stage.deliver(await nearlyDead())).toMatchObject({ failed: true });
  }
  fail('timeout', {}); // the job's own limit
  expect(await stage.deliver(await nearlyDead())).toMatchObject({ failed: true });
  expect(await gate()).toBeUndefined();
});

test('with the breakers switched off the last failure is the end', async () => {
  await stage.close();
  await open({});
  fail('unavailable');
  expect(await stage.deliver(await nearlyDead())).toMatchObject({ failed: true });
  expect(await gate()).toBeUndefined();
});
