// The real adapters, SDKs and wire formats against the sandbox: what every contract test of a provider starts from.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Call, Charge } from '../../shared/call.ts';
import { Failure, type FailureCode } from '../../shared/errors.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { createGuard, type Guard } from '../../providers/guard.ts';
import type { Fault } from '../../sandbox/faults.ts';
import { startSandbox, type Sandbox } from '../../sandbox/server.ts';

interface BillEntry {
  provider: string;
  step?: string;
  units: Record<string, number>;
}

export interface Rig {
  sandbox: Sandbox;
  dataDir: string;
  guard: Guard;
  /** A call of one step that collects its charges. */
  call: (step: string, signal?: AbortSignal) => Call & { charges: Charge[] };
  /** Outcomes of `provider.called` since the last time they were asked for. */
  outcomes: () => string[];
  fault: (operation: string, fault: Fault, times?: number) => Promise<void>;
  /** Resolves when the last fault has met its request. */
  faultTaken: () => Promise<void>;
  bill: (step: string) => Promise<BillEntry[]>;
  close: () => Promise<void>;
}

/** Guard timers are short and the breaker is off, so that one test's faults are not another's open breaker. */
export async function openRig(provider: string): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'storytime-contract-'));
  const sandbox = await startSandbox({ dataDir, keys: sandboxKeys });
  let outcomes: string[] = [];
  const guard = createGuard({
    provider,
    breaker: false,
    timings: { retryBaseMs: 5, retryCapMs: 10, inlineBudgetMs: 100, graceMs: 2_000 },
    emit: (_name, event) => {
      if ('outcome' in event) outcomes.push(event.outcome);
    },
  });
  return {
    sandbox,
    dataDir,
    guard,
    call(step, signal = new AbortController().signal) {
      const charges: Charge[] = [];
      return {
        step,
        signal,
        charges,
        afford: () => Promise.resolve(),
        charge: (charge) => void charges.push(charge),
      };
    },
    outcomes() {
      const seen = outcomes;
      outcomes = [];
      return seen;
    },
    async fault(operation, fault, times = 1) {
      const response = await fetch(`${sandbox.url}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ provider, operation, fault, times }),
      });
      if (response.status !== 201) throw new Error(await response.text());
    },
    async faultTaken() {
      for (let used = 0; used === 0;) {
        const response = await fetch(`${sandbox.url}/_sandbox/faults`);
        used = ((await response.json()) as { faults: { used: number }[] }).faults.at(-1)?.used ?? 0;
      }
    },
    async bill(step) {
      const response = await fetch(`${sandbox.url}/_sandbox/bill?step=${encodeURIComponent(step)}`);
      return ((await response.json()) as { entries: BillEntry[] }).entries;
    },
    async close() {
      guard.close();
      await sandbox.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown: unknown = await promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Failure))
    throw new Error(`expected a Failure, got ${String(thrown)}`, { cause: thrown });
  return thrown;
}

export type ErrorCase = readonly [
  fault: Fault,
  code: FailureCode,
  /** How many attempts are made; 3 where a repeat is safe. */
  attempts: number,
  /** How many of them the vendor bills. */
  billed: number,
];

/** Only what never answers may meet its deadline: a loaded machine takes seconds over 10 MB of garbage. */
const deadlineOf = ({ kind }: Fault): number => (kind === 'hang' || kind === 'stall' ? 1_500 : 10_000);

/**
 * Runs every case: the code of the failure, how often it was tried, what the vendor wrote on its bill, and that all of it is
 * charged which the vendor has accepted before our eyes: of a request without any answer nobody knows.
 */
export async function expectErrors(
  rig: Rig,
  operation: string,
  cases: readonly ErrorCase[],
  run: (call: Call, deadlineMs: number) => Promise<unknown>,
): Promise<void> {
  const seen: unknown[] = [];
  const wanted: unknown[] = [];
  for (const [index, [fault, code, attempts, billed]] of cases.entries()) {
    await rig.fault(operation, fault, attempts);
    rig.outcomes();
    const step = `job:${operation}-${index}`;
    const call = rig.call(step);
    const failure = await failureOf(run(call, deadlineOf(fault)));
    const name = JSON.stringify(fault).slice(0, 100);
    seen.push({
      name,
      code: failure.code,
      tried: rig.outcomes().length,
      billed: (await rig.bill(step)).length,
      charged: call.charges.filter(({ usage }) => usage.some(({ quantity }) => quantity > 0)).length,
    });
    const charged = fault.kind === 'reset' ? 0 : billed;
    wanted.push({ name, code, tried: attempts, billed, charged });
  }
  expect(seen).toEqual(wanted);
}

/** The bill of the step has one entry, and the charge names the same quantities. `units`: ours -> the bill's. */
export async function expectCharged(
  rig: Rig,
  call: Call & { charges: Charge[] },
  units: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = await rig.bill(call.step);
  expect(entries).toHaveLength(1);
  expect(call.charges).toHaveLength(1);
  const charged = Object.fromEntries(
    call.charges[0]?.usage.map(({ unit, quantity }) => [unit, quantity]) ?? [],
  );
  const billed = Object.entries(units).map(([ours, theirs]) => [ours, entries[0]?.units[theirs]]);
  expect(charged).toEqual(Object.fromEntries(billed));
}
