// The connection to the ledger: one pool per process, shared by Prisma (plain reads and writes) and by the hand-written
// statements (batches, locks). Every session runs in UTC with search_path `storytime`; all time is the database's.
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { sessionOf } from '../shared/addresses.ts';
import type { Emit } from '../shared/events.ts';
import { toError } from '../shared/errors.ts';
import { PrismaClient, type Prisma } from './generated/prisma/client.ts';
import { throwOn } from './ledger-errors.ts';
import { openPool } from './pool.ts';

export interface DbOptions {
  url: string;
  /** Connections of this process. */
  poolSize: number;
  /** The server ends a statement after this long, in ms. */
  statementTimeoutMs: number;
  emit: Emit;
}

/** The transaction that a step's domain rows are written in. */
export type Tx = Prisma.TransactionClient;

export interface Db {
  prisma: PrismaClient;
  /** Runs a prepared statement: planned once a connection, so a hot batch costs no planning. */
  run: <Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;
  /** Runs `work` on one connection between BEGIN and COMMIT. */
  transaction: <T>(work: (run: Run) => Promise<T>) => Promise<T>;
  /** One dedicated connection, for LISTEN. The caller ends it. */
  connect: () => Promise<pg.Client>;
  ping: () => Promise<void>;
  close: () => Promise<void>;
}

export interface Statement {
  name: string;
  text: string;
  /** After so many ms without an answer the connection is given up; left out: after the pool's time. */
  silenceMs?: number;
}

export type Run = Db['run'];

// A process that is frozen in the middle of a transaction (a paused machine) keeps its locks, and with them the jobs it held from
// everybody; nothing of ours waits inside a transaction, so the server ends one that stands still.
const sessionOptions =
  '-c timezone=UTC -c search_path=storytime -c default_transaction_isolation=read\\ committed ' +
  '-c idle_in_transaction_session_timeout=5s';

/** A server that ends a connection while it is made must not end this process: without a listener it would. */
async function connectAlone(settings: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(settings);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export function openDb(options: DbOptions): Db {
  const settings = {
    ...sessionOf(options.url, sessionOptions),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 2_000,
    application_name: 'storytime',
  };
  const pool = openPool({
    ...settings,
    max: options.poolSize,
    statement_timeout: options.statementTimeoutMs,
    // A half-open connection (a pulled cable) would otherwise hold its query for ever.
    query_timeout: options.statementTimeoutMs + 2_000,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) =>
    options.emit('notice', { level: 'debug', message: `ledger connection lost: ${error.message}` }),
  );
  const { emit } = options;
  const prisma = openPrisma(pool, emit);

  return {
    prisma,
    run: (statement, values) => timed(emit, raw(statement.name), () => runOn(pool, statement, values)),
    transaction: (work) => inTransaction(pool, emit, work),
    connect: () => connectAlone(settings),
    async ping() {
      // A limit of its own: the question is put every second, and must not hold a half-open connection for longer.
      await pool.query({ text: 'SELECT 1', query_timeout: 2_000 } as pg.QueryConfig);
    },
    async close() {
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

/** Every statement of it is timed, those inside a transaction too: the steps are written there. */
function openPrisma(pool: pg.Pool, emit: Emit): PrismaClient {
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: 'storytime' }) });
  const watched = prisma.$extends({
    query: {
      $allOperations: ({ model = 'raw', operation, args, query }) =>
        timed(emit, { model, action: operation }, () => query(args)),
    },
  });
  return watched as unknown as PrismaClient; // what it adds is not seen from outside
}

async function runOn<Row extends pg.QueryResultRow>(
  target: pg.Pool | pg.PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { name, text, silenceMs } = statement;
  const limit = silenceMs !== undefined && { query_timeout: silenceMs }; // which pg's types do not say
  const { rows } = await target.query<Row>({ name, text, values: [...values], ...limit }).catch(throwOn);
  return rows;
}

async function inTransaction<T>(pool: pg.Pool, emit: Emit, work: (run: Run) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(throwOn);
  let broken: Error | undefined;
  // The pool listens to idle connections only: without this a connection that breaks in here ends the process.
  const onError = (error: Error): void => void (broken = error);
  client.on('error', onError);
  try {
    const control = (text: string): Promise<unknown> =>
      timed(emit, raw(text), () => client.query(text).catch(throwOn));
    await control('BEGIN');
    const result = await work((statement, values) =>
      timed(emit, raw(statement.name), () => runOn(client, statement, values)),
    );
    await control('COMMIT');
    return result;
  } catch (thrown) {
    await client.query('ROLLBACK').catch((error: unknown) => {
      broken = toError(error);
    });
    throw thrown;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

interface Named {
  model: string;
  action: string;
}

function raw(action: string): Named {
  return { model: 'raw', action };
}

const slowMs = 100;

/** One that failed took its time all the same: above all one that waited for a lock, or for nobody. */
async function timed<T>(emit: Emit, named: Named, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    const durationMs = Math.round(performance.now() - start);
    if (durationMs > slowMs) emit('ledger.slow', { ...named, durationMs });
  }
}
