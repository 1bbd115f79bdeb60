// What an error of the ledger means: the ledger was away, it took a write back, or it refused what it was asked. Errors come
// from pg as they are and from Prisma wrapped.
import pg from 'pg';
import { Problem, toError } from '../shared/errors.ts';

const ours = new WeakSet<object>();

/** Throws it on, remembered as an error of the ledger's connection. */
export function throwOn(thrown: unknown): never {
  if (typeof thrown === 'object' && thrown !== null) ours.add(thrown);
  throw thrown;
}

/**
 * Whether the ledger failed somebody who did nothing wrong: it was away, or took a write back. A connection that was refused by
 * anybody else is not it, and neither is a statement that takes too long: the next one may be as long.
 */
export function isAbsence(thrown: unknown): boolean {
  const error = toError(thrown);
  const known = ours.has(error) || error.name.startsWith('PrismaClient') || words.test(error.message);
  return known && mayBeSentAgain(error) && !codesOf(error).includes('57014');
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

/** What pg and Prisma say without a code. */
const words =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Can't reach database|Server has closed|not queryable|Client was closed|the database system is|too many clients|connection slots are reserved/i;

interface Coded {
  code?: unknown;
  meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } };
}

/** Its own code, and the SQLSTATE that Prisma has put away with an error of the server. */
function codesOf(error: Error): string[] {
  const { code, meta } = error as Coded;
  return [code, meta?.driverAdapterError?.cause?.originalCode].filter((text) => typeof text === 'string');
}

/** Whether the ledger could not be reached or did not answer in time (rather than refused what it was asked). */
export function isLedgerDown(thrown: unknown): boolean {
  const error = toError(thrown);
  if (codesOf(error).some((code) => connectionCodes.has(code) || /^(?:08|53)/.test(code))) return true;
  if (error.cause !== undefined && error.cause !== thrown && isLedgerDown(error.cause)) return true;
  return words.test(error.message);
}

/** SQLSTATE of a statement that gave up waiting for a lock. */
export const lockNotFree = '55P03';

/** Deadlock, serialisation failure, a transaction that stood still, and Prisma's names for these and for a transaction that could not be held open. */
const rolledBackCodes = new Set(['40P01', '40001', '25P03', lockNotFree, 'P2034', 'P2028']);

/** Whether the same write may succeed when it is sent again: the ledger was away, or it took the write back itself. */
export function mayBeSentAgain(thrown: unknown): boolean {
  const error = toError(thrown);
  return isLedgerDown(error) || codesOf(error).some((code) => rolledBackCodes.has(code));
}

/** The same error, or a 503 Problem when the ledger is away. */
export function ledgerProblem(thrown: unknown): Error {
  if (thrown instanceof Problem || !isLedgerDown(thrown)) return toError(thrown);
  return silentLedger(thrown);
}

/** The 503 of a ledger that is away, or has not answered in time. */
export function silentLedger(cause?: unknown): Problem {
  return new Problem(
    'ledger_unavailable',
    'the request failed: the ledger does not answer; send it again with the same Idempotency-Key',
    { retryAfterSeconds: 2, cause },
  );
}

/** SQLSTATE of a PostgreSQL error, or undefined. */
export function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof pg.DatabaseError ? thrown.code : undefined;
}
