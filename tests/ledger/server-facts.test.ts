// What the server says about itself.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readServerFacts } from '../../ledger/server-facts.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => world.close());

test('a server on this machine agrees with its clock and keeps its commits', async () => {
  const facts = await readServerFacts(world.db);
  expect(facts.version).toMatch(/^\d+\.\d+/);
  expect(Math.abs(facts.skewMs)).toBeLessThan(500);
  expect(facts.connections).toBeGreaterThan(0);
  expect(facts.maxConnections).toBeGreaterThan(facts.connections);
  expect(facts.synchronousCommit).toBe('on');
});
