import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enqueuedChannel, listen } from '../../ledger/listen.ts';
import { execute } from '../support/database.ts';
import { eventually } from '../support/house.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

async function listeners(): Promise<number[]> {
  const rows = await query<{ pid: number }>(
    world,
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  return rows.map((row) => row.pid);
}

async function connections(): Promise<number> {
  const rows = await query(
    world,
    'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  return rows.length;
}

async function notify(): Promise<void> {
  await query(world, `SELECT pg_notify('${enqueuedChannel}', '')::text`);
}

test('a notice of another connection is told, also after the listening backend was terminated', async () => {
  let told = 0;
  const stop = listen(world.db, () => (told += 1));
  await eventually('it listens', () => told === 1);
  await notify();
  await eventually('the notice is told', () => told === 2);
  const [pid = 0] = await listeners();
  await execute(`SELECT pg_terminate_backend(${pid})`);
  // It tells on its own when it listens again: what was committed meanwhile had no listener.
  await eventually('it listens again', () => told === 3);
  await notify();
  await eventually('the notice is told', () => told === 4);
  await stop();
  await eventually('nobody listens', async () => (await listeners()).length === 0);
});

test('a stop while it is still connecting leaves no connection behind', async () => {
  const before = await connections();
  const stops = Array.from({ length: 5 }, () => listen(world.db, () => undefined));
  await Promise.all(stops.map((stop) => stop()));
  await eventually('they are gone', async () => (await connections()) <= before);
  expect(await listeners()).toEqual([]);
});
