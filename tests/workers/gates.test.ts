// Covers: workers/gates-view.ts
// Two processes' views of one gate, each with its own connection, and guards in front of a vendor that is down.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Failure } from '../../shared/errors.ts';
import { createEvents, type Events } from '../../shared/events.ts';
import { newId } from '../../shared/ids.ts';
import type { Db } from '../../ledger/db.ts';
import { openDb } from '../../ledger/db.ts';
import { resetGates, tripGates } from '../../ledger/gates.ts';
import { registerWorker } from '../../ledger/workers.ts';
import { openGates, type Gates } from '../../workers/gates.ts';
import { openLedger, query, type LedgerWorld } from '../ledger/world.ts';
import { ask, failure, setUp, vendor } from '../providers/vendor.ts';
import { eventually } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const provider = 'test';
const baseMs = 200;

interface Side {
  db: Db;
  gates: Gates;
  seen: Events['provider.gate'][];
  alerts: Events['provider.alert'][];
  guard: ReturnType<typeof setUp>['guard'];
}

let world: LedgerWorld;
let proxy: TestProxy;
let sides: Side[] = [];
beforeEach(async () => {
  world = await openLedger();
  proxy = await startProxy(world.url);
});
afterEach(async () => {
  for (const { gates, guard, db } of sides) {
    guard.close();
    await gates.close();
    await db.close();
  }
  sides = [];
  await proxy.close();
  await world.close();
});

/** What a work process has: a view of the gates and a guard behind it. */
function openSide(): Side {
  const events = createEvents();
  const db = openDb({ url: proxy.url, poolSize: 3, statementTimeoutMs: 1_000, emit: events.emit });
  const gates = openGates({ db, emit: events.emit, baseMs });
  const { guard } = setUp({ provider, gate: gates.of(provider) });
  const side: Side = { db, gates, seen: [], alerts: [], guard };
  events.on('provider.gate', (event) => side.seen.push(event));
  events.on('provider.alert', (event) => side.alerts.push(event));
  sides.push(side);
  return side;
}

/** Gives the vendor's requests up to the first answer that is not a closed gate, asked by both sides in turn. */
async function untilAnswered(both: readonly Side[]): Promise<void> {
  await eventually('somebody gets an answer', async () => {
    const tried = await Promise.allSettled(both.map(({ guard }) => ask(guard)));
    return tried.some(({ status }) => status === 'fulfilled');
  });
}

test('an outage that one process sees keeps both away, one probe a closing reaches the vendor, and both come back', async () => {
  const a = openSide();
  await ask(a.guard);
  vendor.script.push(...Array.from({ length: 9 }, () => 503));
  for (let call = 0; call < 2; call += 1) await failure(ask(a.guard));
  const opened = vendor.requests;
  expect(opened).toBe(1 + 6);
  await eventually('it is written', async () => (await query(world, 'SELECT 1 FROM gate')).length === 1);
  const b = openSide(); // a process that has an answer of the last second may call that long
  // Three more answers are 503: three probes fail, at 0.2, 0.6 and 1.4 s, and the fourth brings the provider back.
  const startedAt = performance.now();
  await untilAnswered([a, b]);
  expect(performance.now() - startedAt).toBeGreaterThan(800);
  expect(vendor.requests - opened).toBeLessThanOrEqual(4 + 1);
  await eventually('both see it open', async () => {
    await Promise.allSettled([ask(a.guard), ask(b.guard)]);
    return [a, b].every(({ seen }) => seen.at(-1)?.state === 'open');
  });
});

test('a probe that is left without an answer says that it was one, and closes the gate for longer', async () => {
  const { guard } = openSide();
  await tripGates(world.db, { gates: [provider], forMs: 1, note: 'test', by: 'test' });
  const probes: Failure[] = [];
  vendor.script.push('hang');
  await eventually('it is sent ahead', async () => {
    const failed = await failure(ask(guard, { deadlineMs: 30 }));
    if (failed.code === 'unknown_outcome') probes.push(failed);
    return probes.length > 0;
  });
  expect(probes).toMatchObject([{ code: 'unknown_outcome', provider, breakerOpen: true }]);
  expect(probes[0]?.retryAfterMs).toBeGreaterThanOrEqual(baseMs);
  expect(await failure(ask(guard))).toMatchObject({ code: 'unavailable', breakerOpen: true });
  expect(vendor.requests).toBe(1);
});

test('a refused key closes the gate for all with one alert, and a reset opens it', async () => {
  const [a, b] = [openSide(), openSide()];
  vendor.script.push(401, 401);
  const failures = await Promise.all([failure(ask(a.guard)), failure(ask(b.guard))]);
  expect(failures).toMatchObject([{ code: 'auth' }, { code: 'auth' }]);
  expect(failures.every((one) => one.breakerOpen)).toBe(true);
  expect(await failure(ask(b.guard))).toMatchObject({ code: 'auth', breakerOpen: true });
  expect(vendor.requests).toBeLessThanOrEqual(2);
  await eventually('it is written', async () => (await query(world, 'SELECT 1 FROM gate')).length === 1);
  await Promise.all(sides.map(({ gates }) => gates.close()));
  expect([...a.alerts, ...b.alerts]).toEqual([{ provider, gate: provider, reason: 'auth' }]);
  await resetGates(world.db, [provider]);
  await untilAnswered([a, b]);
});

test('a rate limit with a Retry-After stops both for that long and then lets one call look', async () => {
  const [a, b] = [openSide(), openSide()];
  await ask(b.guard);
  vendor.retryAfter = '1';
  vendor.script.push(429);
  expect(await failure(ask(a.guard))).toMatchObject({
    code: 'rate_limited',
    retryAfterMs: 1_000,
    breakerOpen: false,
  });
  const startedAt = performance.now();
  const before = vendor.requests;
  await eventually('the limit is known', async () => (await query(world, 'SELECT 1 FROM gate')).length === 1);
  expect(await failure(ask(a.guard))).toMatchObject({ code: 'rate_limited', breakerOpen: true });
  await untilAnswered([a]);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(vendor.requests - before).toBe(1);
});

test('a Retry-After of decades closes the gate for an hour, and then one call looks', async () => {
  const { guard } = openSide();
  vendor.retryAfter = '1893456000';
  vendor.script.push(429);
  expect(await failure(ask(guard))).toMatchObject({ code: 'rate_limited' });
  await eventually('the limit is known', async () => (await query(world, 'SELECT 1 FROM gate')).length === 1);
  const [row] = await query<{ seconds: number }>(
    world,
    'SELECT extract(epoch FROM open_until - now())::float8 AS seconds FROM gate',
  );
  expect(row?.seconds).toBeGreaterThan(3_500);
  expect(row?.seconds).toBeLessThanOrEqual(3_600);
  await query(world, 'UPDATE gate SET open_until = now()');
  await untilAnswered(sides);
  expect(vendor.requests).toBe(2);
});

test('whatever number is given for a wait, the gate is closed for a time that makes sense', () => {
  const { gates } = openSide();
  const lengths = [Number.NaN, -5, 1_000, 1e300, Number.POSITIVE_INFINITY].map((forMs) => [
    gates.of('a').close({ reason: 'rate_limited', forMs }),
    gates.of('b').close({ reason: 'quota_exhausted', forMs }),
  ]);
  expect(lengths).toEqual([
    [baseMs, baseMs * 60],
    [0, baseMs],
    [1_000, 1_000],
    [3_600_000, baseMs * 240],
    [3_600_000, baseMs * 240],
  ]);
});

test('after an opening calls come back one, two, four at a time', async () => {
  const { guard, seen } = openSide();
  await tripGates(world.db, { gates: [provider], forMs: 1, note: 'test', by: 'test' });
  await untilAnswered(sides);
  await eventually('it is open', () => seen.at(-1)?.state === 'open');
  let under = 0;
  let most = 0;
  const one = async (): Promise<void> => {
    const signal = new AbortController().signal;
    const options = { call: { signal }, deadlineMs: 5_000, paid: true, translate: () => undefined };
    await guard.run('slow', options, async () => {
      under += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 15));
      under -= 1;
    });
  };
  await Promise.all([one(), one(), one()]);
  expect(most).toBeLessThanOrEqual(2);
  await Promise.all(Array.from({ length: 12 }, one));
  expect(most).toBeGreaterThan(3);
});

test("a vendor's limit is shared by the work processes in equal parts", async () => {
  const { guard, gates } = openSide();
  for (const queues of [['a'], ['b']])
    await registerWorker(world.db, { id: newId(), version: 'test', queues, knows: [] });
  gates.of(provider).limit(5);
  await eventually('it is written', async () => (await query(world, 'SELECT 1 FROM gate')).length === 1);
  await gates.close();
  let under = 0;
  let most = 0;
  const options = { call: { signal: new AbortController().signal }, deadlineMs: 5_000, paid: true };
  const one = async (): Promise<void> =>
    guard.run('slow', { ...options, translate: () => undefined }, async () => {
      most = Math.max(most, (under += 1));
      await new Promise((resolve) => setTimeout(resolve, 15));
      under -= 1;
    });
  await Promise.all(Array.from({ length: 8 }, one));
  expect(most).toBe(2);
});

test('with the ledger away a process keeps away from a dead provider by itself', async () => {
  const { guard } = openSide();
  await ask(guard);
  proxy.cut();
  vendor.script.push(401);
  expect(await failure(ask(guard))).toMatchObject({ code: 'auth' });
  expect(await failure(ask(guard))).toMatchObject({ code: 'auth', breakerOpen: true });
  expect(vendor.requests).toBe(2);
  proxy.restore();
});

test('a thousand calls behind a closed gate ask the ledger once a second and come back spread out', async () => {
  const { guard, gates, db } = openSide();
  await tripGates(world.db, { gates: [provider], forMs: 60_000, note: 'test', by: 'test' });
  let asked = 0;
  const run = db.run.bind(db);
  db.run = (statement, values) => {
    asked += 1;
    return run(statement, values);
  };
  const failures = await Promise.all(Array.from({ length: 1_000 }, () => failure(ask(guard))));
  expect(asked).toBeLessThanOrEqual(2);
  const waits = failures.map(({ retryAfterMs = 0 }) => retryAfterMs).sort((x, y) => x - y);
  expect(waits[0]).toBeGreaterThan(59_000);
  expect((waits.at(-1) ?? 0) - (waits[0] ?? 0)).toBeGreaterThan(20_000);
  expect(gates.of(provider).closedForMs()).toBeGreaterThan(50_000);
});
