// The connection to the ledger, and what its errors mean.
// Covers: ledger/ledger-errors.ts, ledger/pool.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Problem } from '../../shared/errors.ts';
import { createEvents } from '../../shared/events.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { isAbsence, isLedgerDown, ledgerProblem, mayBeSentAgain } from '../../ledger/ledger-errors.ts';
import { createDatabase, execute, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const ownPid = { name: 'own_pid', text: 'SELECT pg_backend_pid() AS pid' };
const events = createEvents();
let database: TestDatabase;
let proxy: TestProxy;
let db: Db;
beforeAll(async () => {
  database = await createDatabase();
  proxy = await startProxy(database.url);
  db = openDb({ url: proxy.url, poolSize: 3, statementTimeoutMs: 300, emit: events.emit });
});
afterAll(async () => {
  await db.close();
  await proxy.close();
  await database.drop();
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** All ways of the house to the ledger. */
function ways(): Promise<unknown>[] {
  return [
    db.run(ownPid, []),
    db.transaction((run) => run(ownPid, [])),
    db.prisma.job.count(),
    db.prisma.$transaction((tx) => tx.job.count()),
    db.ping(),
  ];
}

test('every session runs in UTC, in the ledger schema', async () => {
  const rows = await db.run(
    { name: 'session', text: `SELECT current_setting('timezone') AS zone, current_schema() AS schema` },
    [],
  );
  expect(rows).toEqual([{ zone: 'UTC', schema: 'storytime' }]);
});

test('a ledger that refuses connections, or ends them, counts as away on every way to it', async () => {
  await Promise.all(ways());
  proxy.cut();
  for (const thrown of await Promise.all(ways().map(failureOf))) {
    expect([String(thrown), isLedgerDown(thrown)]).toEqual([String(thrown), true]);
    expect(ledgerProblem(thrown)).toMatchObject({ code: 'ledger_unavailable', retryAfterSeconds: 2 });
  }
  proxy.restore();
  await expect(Promise.all(ways())).resolves.toHaveLength(5);
});

test('a network that swallows everything ends in an error that counts as away, not in a wait', async () => {
  await db.ping();
  proxy.freeze();
  const thrown = await failureOf(db.run(ownPid, []));
  proxy.restore();
  expect([String(thrown), isLedgerDown(thrown)]).toEqual([String(thrown), true]);
});

test.each([
  [
    'transaction',
    (then: () => void) =>
      db.transaction(async (run) => [await run(ownPid, []), then(), await run(ownPid, [])]),
  ],
  [
    'Prisma',
    (then: () => void) =>
      db.prisma.$transaction(async (tx) => [await tx.job.count(), then(), await tx.job.count()]),
  ],
] as const)(
  'a transaction waits for a silent network once, not for its ROLLBACK too: %s',
  async (_name, work) => {
    await db.ping();
    let from = 0;
    const thrown = await failureOf(
      work(() => {
        from = performance.now();
        proxy.freeze();
      }),
    );
    const ms = performance.now() - from;
    proxy.restore();
    expect([String(thrown), isLedgerDown(thrown)]).toEqual([String(thrown), true]);
    expect(ms).toBeLessThan(4_000); // a statement is given up after 2.3 s
    await expect(Promise.all(ways())).resolves.toHaveLength(5);
  },
);

/** The ways of Prisma, which wraps what the server says. */
function prismaWays(): Promise<unknown>[] {
  return [
    db.prisma.schemaFloor.create({ data: { migration: 'm' } }),
    db.prisma.$executeRaw`INSERT INTO schema_floor (migration) VALUES ('m')`,
    db.prisma.$transaction((tx) => tx.schemaFloor.create({ data: { migration: 'm' } })),
    db.prisma.$transaction(
      (tx) => tx.$queryRaw`INSERT INTO schema_floor (migration) VALUES ('m') RETURNING 1`,
    ),
  ];
}

test.each([
  ['53100', 'a full disk', true, true],
  ['57P01', 'a stop', true, true],
  ['25006', 'a standby', true, true],
  ['57014', 'a statement that took too long', true, true],
  ['08006', 'a broken connection', true, true],
  ['40P01', 'a deadlock', false, true],
  ['40001', 'a serialisation failure', false, true],
  ['23514', 'a check', false, false],
  ['P0001', 'a refusal of its own', false, false],
])('what PostgreSQL says (%s, %s) is understood through Prisma, too', async (code, _name, down, again) => {
  const refuse = `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no more of this' USING ERRCODE = '${code}'; END $$`;
  const trigger = `CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON schema_floor EXECUTE FUNCTION refuse()`;
  await db.prisma.$executeRawUnsafe(refuse);
  await db.prisma.$executeRawUnsafe(trigger);
  for (const thrown of await Promise.all(prismaWays().map(failureOf)))
    expect([String(thrown), isLedgerDown(thrown), mayBeSentAgain(thrown)]).toEqual([
      String(thrown),
      down,
      again,
    ]);
});

test('a handler that met an absent ledger is told from one whose own connection was refused', async () => {
  proxy.cut();
  const [ping, ...away] = (await Promise.all(ways().map(failureOf))).toReversed();
  proxy.restore();
  expect([isLedgerDown(ping), ...away.map(isAbsence)]).toEqual([true, true, true, true, true]);
  const elsewhere = await failureOf(fetch('http://127.0.0.1:1'));
  const slow = await failureOf(db.run({ name: 'slow', text: 'SELECT pg_sleep(5)::text' }, []));
  const refused = await failureOf(db.run({ name: 'wrong', text: 'SELECT 1/0' }, []));
  expect([elsewhere, slow, refused, undefined].map(isAbsence)).toEqual([false, false, false, false]);
  await expect(Promise.all(ways())).resolves.toHaveLength(5);
});

test('a statement that takes too long is ended by the server and may be sent again', async () => {
  const thrown = await failureOf(db.run({ name: 'slow', text: 'SELECT pg_sleep(5)::text' }, []));
  expect([isLedgerDown(thrown), mayBeSentAgain(thrown)]).toEqual([true, true]);
});

test('a connection that breaks in a transaction fails that transaction and nothing else', async () => {
  const work = db.transaction(async (run) => {
    const [row] = await run<{ pid: number }>(ownPid, []);
    await execute(`SELECT pg_terminate_backend(${row?.pid ?? 0})`);
    await run(ownPid, []);
  });
  expect(isLedgerDown(await failureOf(work))).toBe(true);
  await expect(db.ping()).resolves.toBeUndefined();
});

test('a refusal is not an absence, and a deadlock may be sent again', async () => {
  const refused = await failureOf(db.run({ name: 'wrong', text: 'SELECT 1/0' }, []));
  expect([isLedgerDown(refused), mayBeSentAgain(refused)]).toEqual([false, false]);
  const problem = new Problem('job_not_found', 'no');
  expect(ledgerProblem(problem)).toBe(problem);
  await db.transaction((run) =>
    run({ name: 'locks', text: 'CREATE TABLE pair AS SELECT 1 AS id UNION SELECT 2' }, []),
  );
  const reached: (() => void)[] = [];
  const both = Promise.all([1, 2].map(() => new Promise<void>((resolve) => reached.push(resolve))));
  const cross = (first: number, second: number): Promise<unknown> =>
    db.transaction(async (run) => {
      await run({ name: 'free', text: 'SET LOCAL deadlock_timeout = 50' }, []);
      await run({ name: 'lock', text: 'SELECT id FROM pair WHERE id = $1 FOR UPDATE' }, [first]);
      reached[first - 1]?.();
      await both;
      await run({ name: 'lock', text: 'SELECT id FROM pair WHERE id = $1 FOR UPDATE' }, [second]);
    });
  const ends = await Promise.all([failureOf(cross(1, 2)), failureOf(cross(2, 1))]);
  const [deadlock, ...more] = ends.filter((thrown) => thrown !== undefined);
  expect([isLedgerDown(deadlock), mayBeSentAgain(deadlock), more]).toEqual([false, true, []]);
});

test('a slow statement is told on every way to the ledger, and when it fails', async () => {
  await Promise.all(ways());
  const told: string[] = [];
  events.on('ledger.slow', ({ model, action }) => void told.push(`${model} ${action}`));
  // Others may be slow beside it on a busy machine.
  const tells = async (what: string, work: Promise<unknown>): Promise<[boolean, string]> => {
    const thrown = await failureOf(work);
    return [told.splice(0).includes(what), thrown === undefined ? 'done' : 'failed'];
  };
  const nap = { name: 'nap', text: 'SELECT pg_sleep(0.12)::text' };
  const night = { name: 'night', text: 'SELECT pg_sleep(5)::text' };
  expect(await tells('raw nap', db.run(nap, []))).toEqual([true, 'done']);
  expect(await tells('raw night', db.run(night, []))).toEqual([true, 'failed']);
  expect(
    await tells(
      'raw nap',
      db.transaction((run) => run(nap, [])),
    ),
  ).toEqual([true, 'done']);
  expect(
    await tells(
      'raw night',
      db.transaction((run) => run(night, [])),
    ),
  ).toEqual([true, 'failed']);
  expect(await tells('raw $queryRaw', db.prisma.$queryRaw`SELECT pg_sleep(0.12)::text`)).toEqual([
    true,
    'done',
  ]);
  const inside = db.prisma.$transaction((tx) => tx.$queryRaw`SELECT pg_sleep(0.12)::text`);
  expect(await tells('raw $queryRaw', inside)).toEqual([true, 'done']);
  await alter(`CREATE OR REPLACE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.12); RAISE EXCEPTION 'no more of this'; END $$`);
  await alter(`CREATE OR REPLACE TRIGGER linger BEFORE INSERT ON schema_floor EXECUTE FUNCTION linger()`);
  const refused = db.prisma.$transaction((tx) => tx.schemaFloor.create({ data: { migration: 'n' } }));
  expect(await tells('SchemaFloor create', refused)).toEqual([true, 'failed']);
  await alter('DROP TRIGGER linger ON schema_floor');
});

function alter(text: string): Promise<unknown> {
  return db.prisma.$executeRawUnsafe(text);
}

test('a transaction that stands still is ended by the server, with its locks', async () => {
  const [row] = await db.run<{ limit: string }>(
    { name: 'stillness', text: `SELECT current_setting('idle_in_transaction_session_timeout') AS limit` },
    [],
  );
  expect(row?.limit).toBe('5s');
  const still = db.transaction(async (run) => {
    await run({ name: 'shorter', text: 'SET LOCAL idle_in_transaction_session_timeout = 50' }, []);
    await eventually('the server has ended it', async () => {
      const open = {
        name: 'open',
        text: `SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'`,
      };
      return (await db.run(open, [])).length === 0;
    });
    await run({ name: 'late', text: 'SELECT 1' }, []);
  });
  expect(mayBeSentAgain(await failureOf(still))).toBe(true);
});
