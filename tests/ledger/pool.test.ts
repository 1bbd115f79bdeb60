// What every connection of the pool keeps to, whatever the server was set to.
import { afterEach, expect, test } from '@jest/globals';
import { createEvents } from '../../shared/events.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { beginBatch } from '../../ledger/begin.ts';
import { isLedgerDown } from '../../ledger/ledger-errors.ts';
import { sessionConfig, withClient } from '../../ledger/schema-connection.ts';
import { readServerFacts } from '../../ledger/server-facts.ts';
import { newId } from '../../shared/ids.ts';
import { startProxy } from '../support/proxy.ts';
import { createDatabase, execute, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Db;
afterEach(async () => {
  await db.close();
  await database.drop();
});

async function openWith(value: string): Promise<void> {
  database = await createDatabase();
  await execute(
    `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET synchronous_commit = ${value}`,
  );
  db = openDb({ url: database.url, poolSize: 2, statementTimeoutMs: 5_000, emit: createEvents().emit });
}

const setting = {
  name: 'commits',
  text: `SELECT current_setting('synchronous_commit') AS value`,
};

/** On every way of the house to the ledger. */
async function found(): Promise<unknown[]> {
  const [first, second, third] = await Promise.all([
    db.run(setting, []),
    db.transaction((run) => run(setting, [])),
    db.prisma.$transaction(
      (tx) => tx.$queryRaw<unknown[]>`SELECT current_setting('synchronous_commit') AS value`,
    ),
  ]);
  return [first, second, third].flat();
}

test.each([
  ['off', 'on'],
  ['on', 'on'],
  ['local', 'local'],
  ['remote_write', 'remote_write'],
  ['remote_apply', 'remote_apply'],
])('a database whose commits are %s is written to with %s', async (given, kept) => {
  await openWith(given);
  expect(await found()).toEqual([{ value: kept }, { value: kept }, { value: kept }]);
  expect((await readServerFacts(db)).synchronousCommit).toBe(given);
});

test('a connection that is lost before anybody has it fails who waits for it, and nothing else', async () => {
  await openWith('off');
  const proxy = await startProxy(database.url);
  const far = openDb({ url: proxy.url, poolSize: 2, statementTimeoutMs: 5_000, emit: createEvents().emit });
  const lost = proxy.loseNextAnswer((request) => request.includes('synchronous_commit'));
  const thrown: unknown = await far.run(setting, []).catch((error: unknown) => error);
  await lost;
  expect([String(thrown), isLedgerDown(thrown)]).toEqual([String(thrown), true]);
  expect(await far.run(setting, [])).toEqual([{ value: 'on' }]);
  await far.close();
  await proxy.close();
});

test('what is not waited for on purpose stays so for its own transaction alone', async () => {
  await openWith('off');
  const context = { db, workerId: newId(), leaseMs: 1_000 };
  await beginBatch(context, [{ jobId: newId(), generation: 1 }]);
  expect(await found()).toEqual([{ value: 'on' }, { value: 'on' }, { value: 'on' }]);
});

test('options in the address add to ours and do not stand in for them', async () => {
  database = await createDatabase();
  const url = new URL(database.url);
  url.searchParams.set('options', '-c work_mem=5MB -c search_path=public -c timezone=Asia/Tokyo');
  db = openDb({ url: url.href, poolSize: 1, statementTimeoutMs: 2_000, emit: createEvents().emit });
  const text = `SELECT current_setting('timezone') AS zone, current_schema() AS schema, current_setting('work_mem') AS memory`;
  expect(await db.run({ name: 'session', text }, [])).toEqual([
    { zone: 'UTC', schema: 'storytime', memory: '5MB' },
  ]);
  const asked = await withClient(sessionConfig(url.href), (client) => client.query('SHOW work_mem'));
  expect(asked.rows).toEqual([{ work_mem: '5MB' }]);
});
