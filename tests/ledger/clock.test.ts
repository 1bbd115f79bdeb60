import { afterEach, expect, test } from '@jest/globals';
import { compareClocks, createLedgerClock } from '../../ledger/clock.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
afterEach(async () => world.close());

test('half the round trip is allowed for, many who ask at once ask once, and then the time goes on by itself', async () => {
  world = await openLedger();
  const { db } = world;
  const { aheadMs, uncertainMs } = await compareClocks(db);
  // One machine, one clock: what is left is the round trip.
  expect(Math.abs(aheadMs)).toBeLessThan(uncertainMs + 20);
  let asked = 0;
  const hourBehind = async <Row>(...given: Parameters<typeof db.run>): Promise<Row[]> => {
    asked += 1;
    const rows = await db.run<{ now_ms: number }>(...given);
    return rows.map((row) => ({ now_ms: row.now_ms - 3_600_000 }) as Row);
  };
  const clock = createLedgerClock({ ping: () => db.ping(), run: hourBehind });
  const [first] = await Promise.all([clock.now(), clock.now()]);
  const second = await clock.now();
  expect(Math.abs(Date.now() - 3_600_000 - first)).toBeLessThan(500);
  expect(second).toBeGreaterThanOrEqual(first);
  expect(asked).toBe(1);
});
