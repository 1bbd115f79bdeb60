// The shared gate row, as two work processes and an operator move it.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import {
  claimProbe,
  closeGate,
  gateMs,
  limitCalls,
  readGates,
  releaseProbe,
  reopenGate,
  resetGate,
  tripGate,
  type Closing,
  type GateRow,
} from '../../ledger/gates.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

const provider = 'gemini';
let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());
beforeEach(() => query(world, 'DELETE FROM gate'));

function close(change: Partial<Closing> = {}): Promise<boolean> {
  const usual = { provider, reason: 'unavailable', baseMs: 10_000, capMs: 60_000, by: 'a:1' } as const;
  return closeGate(world.db, { ...usual, probeId: undefined, ...change });
}

async function row(): Promise<GateRow | undefined> {
  return (await readGates(world.db)).gates.get(provider);
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
  expect(await claimProbe(world.db, provider, id, forMs)).toBe(true);
  return id;
}

test('a closed gate is closed for everybody, then for everybody but one probe, and then open', async () => {
  expect([await close(), await waitSeconds(), await gateMs(world.db, provider)]).toEqual([
    true,
    10,
    expect.any(Number),
  ]);
  expect(await claimProbe(world.db, provider, newId(), 1_000)).toBe(false);
  await pass();
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => {
      const id = newId();
      return claimProbe(world.db, provider, id, 60_000).then((won) => (won ? [id] : []));
    }),
  );
  expect(claims.flat()).toHaveLength(1);
  expect(await row()).toMatchObject({ open: false, probeMs: expect.any(Number) });
  expect(await reopenGate(world.db, provider, claims.flat()[0] ?? '')).toBe(true);
  expect(await row()).toMatchObject({ open: true, opening: expect.any(Number) });
  expect(await gateMs(world.db, provider)).toBeUndefined();
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
  await reopenGate(world.db, provider, await probe());
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
  expect(await reopenGate(world.db, provider, id)).toBe(true);
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
  await releaseProbe(world.db, provider, second);
  const third = await probe();
  expect(await reopenGate(world.db, provider, second)).toBe(false);
  expect(await reopenGate(world.db, provider, third)).toBe(true);
});

test("an operator's trip holds against every outage, a second click changes nothing, and a reset opens it", async () => {
  const trip = { provider, forMs: 60_000, note: 'INC-42', by: 'key ada' };
  await tripGate(world.db, trip);
  expect([await close(), await close({ reason: 'auth', baseMs: 90_000 }), await waitSeconds()]).toEqual([
    false,
    false,
    60,
  ]);
  const since = await query(world, 'SELECT closed_at FROM gate');
  await tripGate(world.db, trip);
  expect(await query(world, 'SELECT closed_at FROM gate')).toEqual(since);
  await resetGate(world.db, provider);
  const opened = await row();
  expect(opened).toMatchObject({ open: true, opening: expect.any(Number) });
  await resetGate(world.db, provider);
  expect(await row()).toMatchObject({ opening: opened?.opening });
});

test("a vendor's limit is believed for a while and closes nothing", async () => {
  await limitCalls(world.db, provider, 5, 60_000);
  expect(await row()).toMatchObject({ open: true, opening: undefined, maxCalls: 5 });
  await resetGate(world.db, provider);
  expect(await row()).toMatchObject({ open: true, maxCalls: undefined });
  await limitCalls(world.db, provider, 5, -1);
  expect((await row())?.maxCalls).toBeUndefined();
});
