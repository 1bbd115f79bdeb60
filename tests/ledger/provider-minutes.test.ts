// Covers: ledger/queries-providers.ts
// What two processes saw of the providers, added up, and as an operator sees it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { recordCharges } from '../../ledger/charges.ts';
import { closeGates, limitCalls, tripGates } from '../../ledger/gates.ts';
import {
  addMinutes,
  durationSteps,
  p95Of,
  stepOf,
  type MinuteCounts,
} from '../../ledger/provider-minutes.ts';
import { providerViews, type ProviderView } from '../../ledger/queries-providers.ts';
import { prune } from '../../ledger/retention.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const minuteMs = Math.floor(Date.now() / 60_000) * 60_000;

/** So many calls in one duration step. */
function counts(
  provider: string,
  calls: number,
  durationMs: number,
  change: Partial<MinuteCounts> = {},
): MinuteCounts {
  const buckets = [...durationSteps, Infinity].map((_, step) => (step === stepOf(durationMs) ? calls : 0));
  return { provider, minuteMs, calls, errors: 0, buckets, ...change };
}

async function view(provider: string): Promise<ProviderView | undefined> {
  return (await providerViews(world.db)).find((one) => one.provider === provider);
}

test('all five are shown, called or not', async () => {
  const views = await providerViews(world.db);
  expect(views.map(({ provider }) => provider)).toEqual([
    'gemini',
    'elevenlabs',
    'deepgram',
    'cloudinary',
    'smtp',
  ]);
  expect(views[1]).toMatchObject({ gate: { state: 'open' }, calls: 0, errorShare: null, p95Ms: null });
});

test('the counts of many processes in the same minutes add up, and old ones are not counted', async () => {
  const both = [
    counts('smtp', 2, 90),
    counts('gemini', 90, 300),
    counts('gemini', 10, 2_000, { minuteMs: minuteMs - 60_000 }),
  ];
  await Promise.all(Array.from({ length: 10 }, () => addMinutes(world.db, both)));
  await addMinutes(world.db, [counts('gemini', 0, 50, { errors: 100 })]);
  await addMinutes(world.db, [counts('gemini', 5_000, 50, { minuteMs: minuteMs - 3_600_000 })]);
  expect(await view('gemini')).toMatchObject({ calls: 1_000, errorShare: 0.1, p95Ms: 2_250 });
  expect(await view('smtp')).toMatchObject({ calls: 20, errorShare: 0, p95Ms: 98 });
});

/** A call of one tenant that used so many characters, told of under the vendor's own number of it. */
function speak(tenant: string, requestId: string, quantity: number): Promise<number[]> {
  const usage = [{ unit: 'character', quantity }];
  const charge = { provider: 'elevenlabs', model: 'v3', requestId, usage } as const;
  const owner = { jobId: newId(), attemptNo: 1, tenant, kind: 'narrate-story' };
  return world.db.prisma.$transaction((tx) => recordCharges(tx, owner, 'speak', [charge]));
}

test('spend is to the millionth what was charged since midnight UTC: of all tenants, each request once', async () => {
  await query(
    world,
    `INSERT INTO spend (tenant, day, provider, micro_usd) SELECT 'acme', (now() AT TIME ZONE 'UTC')::date - 1, p, 7
      FROM unnest(ARRAY['*', 'elevenlabs']) p`,
  );
  const calls = Array.from({ length: 20 }, (_, n) => speak(`tenant-${n % 3}`, `request-${n % 16}`, 10 + n));
  await Promise.all(calls);
  const [charged] = await query<{ sum: number; count: number }>(
    world,
    `SELECT sum(micro_usd)::int AS sum, count(*)::int AS count FROM charge WHERE provider = 'elevenlabs'`,
  );
  expect(charged?.count).toBe(16);
  expect(charged?.sum).toBeGreaterThan(0);
  expect(await view('elevenlabs')).toMatchObject({ spentTodayMicroUsd: charged?.sum, calls: 0 });
});

test('the gate is shown with who closed it, why and until when', async () => {
  await tripGates(world.db, { gates: ['deepgram'], forMs: 60_000, note: 'INC-42', by: 'ada' });
  expect((await view('deepgram'))?.gate).toEqual({
    state: 'closed',
    reason: 'operator',
    note: 'INC-42',
    by: 'ada',
    since: expect.any(Date),
    until: expect.any(Date),
  });
  const closing = { gates: ['cloudinary'], reason: 'auth', by: 'h:1', probeId: undefined } as const;
  await closeGates(world.db, { ...closing, baseMs: 0, capMs: 0 });
  expect((await view('cloudinary'))?.gate).toMatchObject({ state: 'probing', reason: 'auth', note: null });
});

test('a provider is as bad as its worst gate, and may be called as often at once as the strictest allows', async () => {
  const closing = { by: 'h:1', probeId: undefined, capMs: 60_000 } as const;
  await limitCalls(world.db, 'gemini-pictures', 3, 60_000);
  await limitCalls(world.db, 'gemini-text', 5, 60_000);
  expect(await view('gemini')).toMatchObject({ gate: { state: 'open', until: null }, maxCalls: 3 });
  await closeGates(world.db, { ...closing, gates: ['gemini-pictures'], reason: 'auth', baseMs: 0 });
  expect((await view('gemini'))?.gate).toMatchObject({ state: 'probing', reason: 'auth' });
  await closeGates(world.db, { ...closing, gates: ['gemini-text'], reason: 'unavailable', baseMs: 9_000 });
  const seen = await view('gemini');
  expect(seen?.gate).toMatchObject({ state: 'closed', reason: 'unavailable' });
  expect(seen?.gates).toMatchObject([
    { name: 'gemini-text', state: 'closed', maxCalls: 5 },
    { name: 'gemini-pictures', state: 'probing', maxCalls: 3 },
  ]);
});

test('minutes older than two days are deleted', async () => {
  await addMinutes(world.db, [counts('gemini', 1, 50, { minuteMs: minuteMs - 3 * 86_400_000 })]);
  expect(await prune(world.db)).toBe(1);
});

test('the 95th of a hundred calls is found within its step, and a call without an end counts as the longest', () => {
  expect(p95Of([])).toBeNull();
  expect(p95Of([100])).toBe(48);
  expect(p95Of([...durationSteps.map(() => 0), 5])).toBe(100_000);
  expect([0, 50, 51, 100_000, 100_001].map(stepOf)).toEqual([0, 0, 1, 11, 12]);
});
