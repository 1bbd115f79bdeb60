// How the script of a migration is run: it and the mark that it is done are one transaction. Whatever interrupts it leaves
// both or neither, so a migration that is neither done nor failed was undone by PostgreSQL and can simply be run again.
// Behind a script that waits for a table everybody else waits, too: it waits for moments only, and lets them through between.
import { setTimeout as delay } from 'node:timers/promises';
import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils';

/** How a script waits for tables that others use. */
export interface Patience {
  /** For one lock, in ms; a script that needs longer says SET LOCAL lock_timeout. */
  waitMs: number;
  /** Between two tries, in ms. */
  pauseMs: number;
  tries: number;
}

/** About a minute in all; shorter waits than those after which the API answers 503. */
export const usualPatience: Patience = { waitMs: 2_000, pauseMs: 1_000, tries: 20 };

/** In the engine's error after a script that was interrupted through no fault of its own: why, and what to do before the next run. */
export const interruption = /interrupted: ([^\n]*)/;

/** Declares undone what was interrupted; waits for a script that a server still runs for a client that is gone. */
export const undoInterrupted = `do $$ begin
  if to_regclass('storytime._prisma_migrations') is not null then
    update storytime._prisma_migrations set rolled_back_at = now()
    where finished_at is null and rolled_back_at is null and logs is null;
  end if;
end $$`;

/** Words of a script that perhaps ends its transaction or cannot run in one: it is sent as it is, without the mark. */
const leavesTransaction =
  /\b(?:(?:commit|rollback|abort|concurrently|vacuum|alter\s+system)\b|(?:begin|start)\s+(?:work|transaction)\b|begin\s*;|(?:create|drop)\s+(?:database|tablespace|subscription)\b)/i;

/** Whether an interruption leaves all of the script or nothing. */
export function isOneTransaction(sql: string): boolean {
  return !leavesTransaction.test(sql);
}

/** Makes the adapter run scripts this way. */
export function marksScripts(adapter: SqlDriverAdapter, patience: Patience): void {
  const inner = adapter as unknown as { performIO: (query: SqlQuery) => Promise<unknown> };
  const performIO = inner.performIO.bind(adapter);
  let row: string | undefined;
  let interrupted: DriverAdapterError | undefined;
  inner.performIO = async (query) => {
    // The engine would note the interruption as a failure of the script, which somebody must correct.
    if (interrupted !== undefined) throw interrupted;
    row = startedRow(query) ?? row;
    return performIO(query);
  };
  const run = async (sql: string): Promise<unknown> => adapter.executeRaw({ sql, args: [], argTypes: [] });
  const start = async (sql: string, id: string | undefined): Promise<void> => {
    if (id !== undefined && isOneTransaction(sql))
      return untilFree(async () => run(`${mark(id, patience)} ${sql}`), patience);
    if (id !== undefined) await run(doubt(id));
    await run(sql);
  };
  // The adapter's own cuts the text at every ';', inside function bodies too. Whole, it is one implicit transaction.
  adapter.executeScript = async (sql) => {
    const id = row;
    row = undefined;
    try {
      await start(sql, id);
    } catch (error) {
      const why = await whyInterrupted(adapter, sql, error);
      if (why !== undefined) interrupted = postgresError('08006', `interrupted: ${why}`);
      throw interrupted ?? inItsOwnWords(error);
    }
  };
}

/** Runs it again while others are in its way; throws what the last try threw. */
async function untilFree(run: () => Promise<unknown>, { pauseMs, tries }: Patience): Promise<void> {
  for (let left = tries; ; left -= 1) {
    try {
      await run();
      return;
    } catch (error) {
      if (left <= 1 || !isInTheWay(error)) throw error;
      await delay(pauseMs);
    }
  }
}

/** The row that the engine writes before it runs a script; a shadow database has none. */
function startedRow({ sql, args }: SqlQuery): string | undefined {
  const [id] = args;
  const starts = sql.startsWith('INSERT INTO "_prisma_migrations"');
  return starts && typeof id === 'string' && /^[\w-]+$/.test(id) ? id : undefined;
}

// First in the transaction: the lock on the row tells undoInterrupted that the script still runs.
function mark(id: string, { waitMs }: Patience): string {
  return `do $$ begin
    perform set_config('lock_timeout', '${waitMs}ms', true);
    update storytime._prisma_migrations set finished_at = now() where id = '${id}' and rolled_back_at is null;
    if not found then raise exception 'another process took it for an interrupted one'; end if;
  end $$;`;
}

/** With a log, an interruption counts as a failure: parts of such a script may have been kept. */
function doubt(id: string): string {
  return `update storytime._prisma_migrations set logs = 'not run in one transaction' where id = '${id}'`;
}

/** Undefined when the script itself is at fault: nothing but a correction helps. */
async function whyInterrupted(
  adapter: SqlDriverAdapter,
  sql: string,
  error: unknown,
): Promise<string | undefined> {
  if (!isAnswer(error)) return 'the connection to PostgreSQL was lost';
  if (!isInTheWay(error) || !isOneTransaction(sql)) return undefined;
  const query: SqlQuery = {
    sql: inTheWay,
    args: [sql],
    argTypes: [{ scalarType: 'string', arity: 'scalar' }],
  };
  // It only makes the message better: whatever becomes of the question, the script was interrupted.
  const found = await adapter.queryRaw(query).catch(() => undefined);
  const who = found?.rows[0]?.[0];
  const named = typeof who === 'string' ? who : 'a transaction that has ended by now';
  return `a lock was not to be had, try after try; in the way was ${named}; end that transaction (see pg_stat_activity)`;
}

/** The oldest transaction that has a lock on a table or index which the script ($1) names. */
const inTheWay = `select format('%s (%s) with %s on %s',
    coalesce('session ' || l.pid, 'a prepared transaction, see pg_prepared_xacts'),
    concat_ws(', ', a.usename, a.state, 'begun ' || date_trunc('second', a.xact_start)), l.mode, c.relname)
  from pg_locks l join pg_class c on c.oid = l.relation left join pg_stat_activity a on a.pid = l.pid
  where l.granted and l.pid is distinct from pg_backend_pid() and c.relnamespace = 'storytime'::regnamespace
    and l.database = (select oid from pg_database where datname = current_database())
    and lower(c.relname) in (select regexp_split_to_table(lower($1), '\\W+'))
  order by a.xact_start nulls last, c.relkind desc limit 1`;

interface Refused {
  kind?: string;
  originalCode?: string;
  originalMessage?: string;
}

/** By its shape: the adapter may have a class of its own. Empty when it is no error of the adapter. */
function causeOf(error: unknown): Refused {
  return (error as { cause?: Refused }).cause ?? {};
}

/** Whether the server refused the script and still listens: any SQLSTATE but those of a session that ends. */
function isAnswer(error: unknown): boolean {
  return !/^(?:08|57P)/.test(causeOf(error).originalCode ?? '08');
}

/** Whether others had what it needs: lock_not_available, or deadlock_detected, which ends either side. */
function isInTheWay(error: unknown): boolean {
  return ['55P03', '40P01'].includes(causeOf(error).originalCode ?? '');
}

// The adapter and the engine have words of their own for some SQLSTATEs, from which nobody learns what was refused. Under one
// that is never theirs (P0001, raise_exception) PostgreSQL's message is handed on.
function inItsOwnWords(error: unknown): unknown {
  const { kind, originalMessage } = causeOf(error);
  if (kind === 'postgres' || originalMessage === undefined) return error;
  return postgresError('P0001', originalMessage, 'ERROR');
}

function postgresError(code: string, message: string, severity = 'FATAL'): DriverAdapterError {
  const unknown = { detail: undefined, column: undefined, hint: undefined };
  return new DriverAdapterError({ kind: 'postgres', code, severity, message, ...unknown });
}
