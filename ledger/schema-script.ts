// How the script of a migration is run: it and the mark that it is done are one transaction. Whatever interrupts it leaves
// both or neither, so a migration that is neither done nor failed was undone by PostgreSQL and can simply be run again.
import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import type { SqlDriverAdapter, SqlQuery } from '@prisma/driver-adapter-utils';

/** What the engine's error says after the connection broke in the middle of a script. */
export const connectionLost = 'the connection to PostgreSQL was lost';

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

/** Makes the adapter run scripts this way. */
export function marksScripts(adapter: SqlDriverAdapter): void {
  const inner = adapter as unknown as { performIO: (query: SqlQuery) => Promise<unknown> };
  const performIO = inner.performIO.bind(adapter);
  let row: string | undefined;
  let isLost = false;
  inner.performIO = async (query) => {
    // On a new connection the engine would note the interruption as a failure of the script, which somebody must correct.
    if (isLost) throw lost();
    row = startedRow(query) ?? row;
    return performIO(query);
  };
  const run = async (sql: string): Promise<unknown> => adapter.executeRaw({ sql, args: [], argTypes: [] });
  // The adapter's own cuts the text at every ';', inside function bodies too. Whole, it is one implicit transaction.
  adapter.executeScript = async (sql) => {
    const id = row;
    row = undefined;
    const leaves = leavesTransaction.test(sql);
    try {
      if (id !== undefined && leaves) await run(doubt(id));
      await run(id === undefined || leaves ? sql : `${mark(id)} ${sql}`);
    } catch (error) {
      isLost = !isAnswer(error);
      throw isLost ? lost() : error;
    }
  };
}

/** The row that the engine writes before it runs a script; a shadow database has none. */
function startedRow({ sql, args }: SqlQuery): string | undefined {
  const [id] = args;
  const starts = sql.startsWith('INSERT INTO "_prisma_migrations"');
  return starts && typeof id === 'string' && /^[\w-]+$/.test(id) ? id : undefined;
}

// First in the transaction: the lock on the row tells undoInterrupted that the script still runs.
function mark(id: string): string {
  return `do $$ begin
    update storytime._prisma_migrations set finished_at = now() where id = '${id}' and rolled_back_at is null;
    if not found then raise exception 'another process took it for an interrupted one'; end if;
  end $$;`;
}

/** With a log, an interruption counts as a failure: parts of such a script may have been kept. */
function doubt(id: string): string {
  return `update storytime._prisma_migrations set logs = 'not run in one transaction' where id = '${id}'`;
}

/** Whether the server refused the script and still listens: any SQLSTATE but those of a session that ends. */
function isAnswer(error: unknown): boolean {
  const { cause } = error as { cause?: { originalCode?: unknown } };
  return typeof cause?.originalCode === 'string' && !/^(?:08|57P)/.test(cause.originalCode);
}

function lost(): DriverAdapterError {
  const unknown = { detail: undefined, column: undefined, hint: undefined };
  return new DriverAdapterError({
    kind: 'postgres',
    code: '08006',
    severity: 'FATAL',
    message: connectionLost,
    ...unknown,
  });
}
