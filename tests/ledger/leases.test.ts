// The renewal of leases over a network of which one connection has gone dumb.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { isLedgerDown } from '../../ledger/ledger-errors.ts';
import { renewLeases } from '../../ledger/leases.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

let database: TestDatabase;
let proxy: TestProxy;
let db: Db;
beforeAll(async () => {
  database = await createDatabase();
  proxy = await startProxy(database.url);
  db = openDb({ url: proxy.url, poolSize: 1, statementTimeoutMs: 60_000, emit: () => undefined });
});
afterAll(async () => {
  await db.close();
  await proxy.close();
  await database.drop();
});

test('a renewal gives a connection that says nothing up while a third of the lease is left', async () => {
  const leaseMs = 6_000;
  const lease = { jobId: newId(), attemptNo: 1 };
  const renew = () => renewLeases(db, { workerId: newId(), leaseMs }, [lease]);
  await renew();
  const from = performance.now();
  proxy.freeze();
  const thrown: unknown = await renew().catch((error: unknown) => error);
  expect(performance.now() - from).toBeLessThan((leaseMs * 2) / 3);
  expect([String(thrown), isLedgerDown(thrown)]).toEqual([String(thrown), true]);
  proxy.restore();
  expect(await renew()).toEqual({ lost: [lease.jobId], cancelled: [], locked: 0 });
});
