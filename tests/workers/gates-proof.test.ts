// What a call's end says of its provider, and what it does not: calls of before, and questions about the past.
// Covers: providers/guard-gate.ts, providers/guard-breaker.ts, providers/guard-call.ts
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createEvents } from '../../shared/events.ts';
import { noGate, type Gate } from '../../providers/guard-gate.ts';
import { openGates, type Gates } from '../../workers/gates.ts';
import { openLedger, query, type LedgerWorld } from '../ledger/world.ts';
import { ask, failure, setUp, until, vendor } from '../providers/vendor.ts';
import { eventually } from '../support/house.ts';

const provider = 'test';
let world: LedgerWorld;
let gates: Gates;
beforeEach(async () => {
  world = await openLedger();
  gates = openGates({ db: world.db, emit: createEvents().emit, baseMs: 200 });
});
afterEach(async () => {
  await gates.close();
  await world.close();
});

const isOpen = async (): Promise<boolean> =>
  (await query(world, `SELECT 1 FROM gate WHERE reopened_at IS NOT NULL AND open_until <= now()`)).length ===
  1;
const isShut = async (): Promise<boolean> => (await query(world, 'SELECT 1 FROM gate')).length === 1;

/** Closed, and its time is over: the next call is the probe. */
async function due(): Promise<void> {
  gates.of(provider).close({ reason: 'quota_exhausted', forMs: 200 });
  await eventually('it is written', isShut);
  await eventually('a probe is welcome', () => gates.of(provider).closedForMs() === 0);
}

test('a question that proves nothing waits for the gate, opens none, and is no outage when it fails', async () => {
  const { guard } = setUp({ provider, gate: gates.of(provider) });
  gates.of(provider).close({ reason: 'quota_exhausted', forMs: 2_000 });
  await eventually('it is written', isShut);
  expect(await failure(ask(guard, { proves: false }))).toMatchObject({
    code: 'quota_exhausted',
    breakerOpen: true,
  });
  expect(vendor.requests).toBe(0);
  await eventually('a probe is welcome', () => gates.of(provider).closedForMs() === 0);
  await ask(guard);
  await eventually('the probe opens it', isOpen);
  for (let call = 0; call < 3; call += 1) {
    vendor.script.push(503, 503, 503);
    expect(await failure(ask(guard, { proves: false }))).toMatchObject({
      code: 'unavailable',
      breakerOpen: true,
    });
  }
  await ask(guard);
  expect(await isOpen()).toBe(true);
  guard.close();
});

test('a call of before that fails while the probe is under way neither ends it nor closes the gate', async () => {
  await due();
  const entry = await gates.of(provider).enter(5_000);
  if (entry.kind !== 'probe') throw new Error(`no probe, but ${entry.kind}`);
  gates.of(provider).close({ reason: 'unavailable' });
  await eventually('it has been written, or refused', () => gates.of(provider).closedForMs() === 0);
  await entry.probe.succeeded();
  expect(await isOpen()).toBe(true);

  // Sent before it was opened, and ended after it.
  gates.of(provider).close({ reason: 'unavailable', ageMs: 60_000 });
  await eventually('it has been written, or refused', () => gates.of(provider).closedForMs() === 0);
  expect(await isOpen()).toBe(true);
  gates.of(provider).close({ reason: 'unavailable', ageMs: 0 });
  await eventually('a call of now closes it', async () => !(await isOpen()));
});

test('a question at a gate whose time is over has the place of the probe, and leaves it to the call that it is for', async () => {
  await due();
  const { guard } = setUp({ provider, gate: gates.of(provider) });
  vendor.script.push(503);
  const [first, second] = await Promise.all([
    failure(ask(guard, { proves: false })),
    failure(ask(guard, { proves: false })),
  ]);
  expect([first.breakerOpen, second.breakerOpen, vendor.requests]).toEqual([true, true, 1]);
  await eventually('a probe is welcome again', () => gates.of(provider).closedForMs() === 0);
  await ask(guard, { proves: false });
  expect(await isOpen()).toBe(false);
  await ask(guard);
  await eventually('the call is the probe, and opens it', isOpen);
  expect(vendor.requests).toBe(3);
  guard.close();
});

/** A gate that all share, which is open since `opening`, and what closed it. */
function openSince(): { gate: Gate; since: (opening: number) => void; closings: unknown[] } {
  const closings: unknown[] = [];
  let opening: number | undefined;
  const gate: Gate = {
    ...noGate,
    shared: true,
    enter: () => Promise.resolve({ kind: 'open', terms: { opening, maxCalls: 64 } }),
    close: (closing) => closings.push(closing),
  };
  return { gate, since: (at) => (opening = at), closings };
}

const lose = { paid: true, deadlineMs: 1_500 };

test('four lost calls close the gate; of before its last opening they are no news, and none of them is counted again', async () => {
  const { gate, since, closings } = openSince();
  const { guard } = setUp({ provider, gate });
  vendor.script.push('hang', 'hang', 'hang', 'hang');
  const lost = Array.from({ length: 4 }, () => failure(ask(guard, lose)));
  await until(() => vendor.requests === 4);
  since(1);
  expect(await failure(ask(guard))).toMatchObject({ code: 'rate_limited' }); // calls come back one at a time
  expect((await Promise.all(lost)).map(({ code }) => code)).toEqual(Array(4).fill('unknown_outcome'));
  expect(closings).toEqual([]);

  vendor.script.push('hang', 'hang', 'hang', 'hang');
  for (let call = 0; call < 4; call += 1) await failure(ask(guard, lose));
  expect(closings).toMatchObject([{ reason: 'unavailable' }]);
  since(2);
  vendor.script.push('hang');
  expect(await failure(ask(guard, lose))).toMatchObject({ code: 'unknown_outcome', breakerOpen: false });
  expect(closings).toHaveLength(1);
  guard.close();
});
