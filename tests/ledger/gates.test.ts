// The shared gate rows, as two work processes and an operator move them.
// Covers: ledger/gate-rows.ts
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import {
  claimProbe,
  closeGates,
  gateMs,
  limitCalls,
  readGates,
  releaseProbe,
  reopenGate,
  resetGates,
  tripGates,
  type Closing,
  type GateRow,
} from '../../ledger/gates.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

const gate = 'gemini-text';
let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());
beforeEach(() => query(world, 'DELETE FROM gate'));

function close(change: Partial<Closing> = {}): Promise<boolean> {
  const usual = { gates: [gate], reason: 'unavailable', baseMs: 10_000, capMs: 60_000, by: 'a:1' } as const;
  return closeGates(world.db, { ...usual, probeId: undefined, ...change });
}

async function row(): Promise<GateRow | undefined> {
  return (await readGates(world.db)).gates.get(gate);
}

/** Rounded to seconds. */
async function waitSeconds(): Promise<number> {
  return Math.round(((await row())?.waitMs ?? 0) / 1_000);
}

/** Lets the closing run out: time is the database's. */
async function pass(): Promise<void> {
  await query(world, `UPDATE gate SET open_until = clock_timestamp() - interval '1 ms'`);
}

async function probe(forMs = 60_000): Promise<string> {
  const id = newId();
  expect(await claimProbe(world.db, gate, id, forMs)).toBe(true);
  return id;
}

test('a closed gate is closed for everybody, then for everybody but one probe, and then open', async () => {
  expect([await close(), await waitSeconds(), await gateMs(world.db, gate)]).toEqual([
    true,
    10,
    expect.any(Number),
  ]);
  expect(await claimProbe(world.db, gate, newId(), 1_000)).toBe(false);
  await pass();
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => {
      const id = newId();
      return claimProbe(world.db, gate, id, 60_000).then((won) => (won ? [id] : []));
    }),
  );
  expect(claims.flat()).toHaveLength(1);
  expect(await row()).toMatchObject({ open: false, probeMs: expect.any(Number) });
  expect(await reopenGate(world.db, gate, claims.flat()[0] ?? '')).toBe(true);
  expect(await row()).toMatchObject({ open: true, opening: expect.any(Number) });
  expect(await gateMs(world.db, gate)).toBeUndefined();
});

test('each probe that fails closes it for twice as long, up to a limit; a good moment halves that, a good minute ends it', async () => {
  await close();
  const seen = [];
  for (let turn = 0; turn < 4; turn += 1) {
    await pass();
    await close({ probeId: await probe() });
    seen.push(await waitSeconds());
  }
  expect(seen).toEqual([20, 40, 60, 60]);
  await pass();
  await reopenGate(world.db, gate, await probe());
  await close();
  expect(await waitSeconds()).toBe(40); // five closings, halved, and one more
  await query(world, `UPDATE gate SET open_until = now(), reopened_at = clock_timestamp() - interval '61 s'`);
  await close();
  expect(await waitSeconds()).toBe(10);
});

test('calls that were sent before it closed neither lengthen it nor end the probe of another process', async () => {
  await close();
  expect([await close(), await close({ baseMs: 50_000 }), await waitSeconds()]).toEqual([false, false, 10]);
  await pass();
  const id = await probe();
  expect(await close({ probeId: newId() })).toBe(false);
  expect(await reopenGate(world.db, gate, id)).toBe(true);
});

test('a refused key takes over from an outage and is news once', async () => {
  await close();
  const auth = { reason: 'auth', baseMs: 30_000 } as const;
  expect([await close(auth), await close({ ...auth, baseMs: 40_000 }), await waitSeconds()]).toEqual([
    true,
    false,
    40,
  ]);
  expect(await row()).toMatchObject({ reason: 'auth' });
});

test('a rate limit holds for exactly as long as the vendor asked, and a longer one extends it', async () => {
  const limited = { reason: 'rate_limited', capMs: 0 } as const;
  await close({ ...limited, baseMs: 20_000 });
  await close({ ...limited, baseMs: 5_000 });
  expect(await waitSeconds()).toBe(20);
  await close({ ...limited, baseMs: 30_000 });
  expect(await waitSeconds()).toBe(30);
  await pass();
  await close({ ...limited, baseMs: 7_000, probeId: await probe() });
  expect(await waitSeconds()).toBe(7);
});

test("a probe whose process died, or told nothing, is another's turn", async () => {
  await close();
  await pass();
  await probe(-1);
  const second = await probe();
  await releaseProbe(world.db, gate, second);
  const third = await probe();
  expect(await reopenGate(world.db, gate, second)).toBe(false);
  expect(await reopenGate(world.db, gate, third)).toBe(true);
});

test("an operator's trip holds against every outage, a second click changes nothing, and a reset opens it", async () => {
  const trip = { gates: [gate], forMs: 60_000, note: 'INC-42', by: 'key ada' };
  await tripGates(world.db, trip);
  expect([await close(), await close({ reason: 'auth', baseMs: 90_000 }), await waitSeconds()]).toEqual([
    false,
    false,
    60,
  ]);
  const since = await query(world, 'SELECT closed_at FROM gate');
  await tripGates(world.db, trip);
  expect(await query(world, 'SELECT closed_at FROM gate')).toEqual(since);
  await resetGates(world.db, [gate]);
  const opened = await row();
  expect(opened).toMatchObject({ open: true, opening: expect.any(Number) });
  await resetGates(world.db, [gate]);
  expect(await row()).toMatchObject({ opening: opened?.opening });
});

test("a vendor's limit is believed for a while and closes nothing", async () => {
  await limitCalls(world.db, gate, 5, 60_000);
  expect(await row()).toMatchObject({ open: true, opening: undefined, maxCalls: 5 });
  await resetGates(world.db, [gate]);
  expect(await row()).toMatchObject({ open: true, maxCalls: undefined });
  await limitCalls(world.db, gate, 5, -1);
  expect((await row())?.maxCalls).toBeUndefined();
});

const both = ['gemini-text', 'gemini-pictures'];
const auth = { gates: both, reason: 'auth' } as const;

async function reasons(): Promise<Record<string, string>> {
  const { gates } = await readGates(world.db);
  return Object.fromEntries([...gates].map(([name, { open, reason }]) => [name, open ? 'open' : reason]));
}

test('what is found out at once by many closes all of them, and is news to one', async () => {
  const orders = [both, both.toReversed()];
  const told = await Promise.all(
    Array.from({ length: 20 }, (_, turn) => close({ ...auth, gates: orders[turn % 2] ?? both })),
  );
  expect(told.filter((news) => news)).toHaveLength(1);
  expect(await reasons()).toEqual({ 'gemini-text': 'auth', 'gemini-pictures': 'auth' });
});

test('a closing that is known from another gate is no news; after a reset it is', async () => {
  await tripGates(world.db, { gates: ['gemini-text'], forMs: 60_000, note: 'x', by: 'ada' });
  expect(await close(auth)).toBe(true);
  expect(await reasons()).toEqual({ 'gemini-text': 'operator', 'gemini-pictures': 'auth' });
  await pass();
  expect(await close(auth)).toBe(false);
  await resetGates(world.db, both);
  expect(await close(auth)).toBe(true);
});

test('a trip and a reset are of all gates that are named, at once, in whatever order and by however many', async () => {
  const trip = { forMs: 60_000, note: 'INC-42', by: 'ada' };
  const orders = [both, both.toReversed()];
  await Promise.all(
    Array.from({ length: 20 }, (_, turn) => {
      const gates = orders[turn % 2] ?? both;
      return turn % 3 === 0 ? resetGates(world.db, gates) : tripGates(world.db, { gates, ...trip });
    }),
  );
  await tripGates(world.db, { gates: [...both, 'smtp'], ...trip });
  await resetGates(world.db, ['gemini-pictures']);
  expect(await reasons()).toEqual({
    'gemini-text': 'operator',
    'gemini-pictures': 'open',
    smtp: 'operator',
  });
});

test('the row of an older build is the gate of the model that writes', async () => {
  await close();
  expect(await query(world, 'SELECT provider FROM gate')).toEqual([{ provider: 'gemini' }]);
  expect(await reasons()).toEqual({ 'gemini-text': 'unavailable' });
});
