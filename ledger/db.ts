// The connection to the ledger: one pool per process, shared by Prisma (plain reads and writes) and by the hand-written
// statements (batches, locks). Every session runs in UTC with search_path `storytime`; all time is the database's.
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Emit } from '../shared/events.ts';
import { Problem, toError } from '../shared/errors.ts';
import { PrismaClient, type Prisma } from './generated/prisma/client.ts';

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
    connectionString: options.url,
    options: sessionOptions,
    keepAlive: true,
    connectionTimeoutMillis: 2_000,
    application_name: 'storytime',
  };
  const pool = new pg.Pool({
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
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: 'storytime' }) });

  return {
    prisma,
    run: (statement, values) => timed(options.emit, statement.name, () => runOn(pool, statement, values)),
    transaction: (work) => inTransaction(pool, work),
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

async function runOn<Row extends pg.QueryResultRow>(
  target: pg.Pool | pg.PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await target.query<Row>({
    name: statement.name,
    text: statement.text,
    values: [...values],
  });
  return rows;
}

async function inTransaction<T>(pool: pg.Pool, work: (run: Run) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The pool listens to idle connections only: without this a connection that breaks in here ends the process.
  const onError = (error: Error): void => void (broken = error);
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const result = await work((statement, values) => runOn(client, statement, values));
    await client.query('COMMIT');
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

async function timed<T>(emit: Emit, name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const durationMs = Math.round(performance.now() - start);
  if (durationMs > 100) emit('ledger.slow', { model: 'raw', action: name, durationMs });
  return result;
}

/** Beside these: class 08, the connection, and class 53, a server without room, memory or connections. */
const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '25006',
]);

/** Whether the ledger could not be reached or did not answer in time (rather than refused what it was asked). */
export function isLedgerDown(thrown: unknown): boolean {
  const error = toError(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (connectionCodes.has(code) || /^(?:08|53)/.test(code)) return true;
  if (error.cause !== undefined && error.cause !== thrown && isLedgerDown(error.cause)) return true;
  return /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Can't reach database|Server has closed|not queryable|Client was closed|the database system is|too many clients|connection slots are reserved/i.test(
    error.message,
  );
}

/** Deadlock, serialisation failure, a transaction that stood still, and Prisma's names for these and for a transaction that could not be held open. */
const rolledBackCodes = new Set(['40P01', '40001', '25P03', 'P2034', 'P2028']);

/** Whether the same write may succeed when it is sent again: the ledger was away, or it took the write back itself. */
export function mayBeSentAgain(thrown: unknown): boolean {
  const error = toError(thrown);
  return isLedgerDown(error) || ('code' in error && rolledBackCodes.has(String(error.code)));
}

/** The same error, or a 503 Problem when the ledger is away. */
export function ledgerProblem(thrown: unknown): Error {
  if (thrown instanceof Problem || !isLedgerDown(thrown)) return toError(thrown);
  return new Problem(
    'ledger_unavailable',
    'the request failed: the ledger does not answer; send it again with the same Idempotency-Key',
    {
      retryAfterSeconds: 2,
      cause: thrown,
    },
  );
}

/** SQLSTATE of a PostgreSQL error, or undefined. */
export function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof pg.DatabaseError ? thrown.code : undefined;
}
