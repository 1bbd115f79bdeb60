// Brings the ledger's tables up to date: prisma/migrations into schema `storytime`. Safe to run from any number of processes
// at once: one applies, the others wait and find nothing to do. A migration that fails leaves nothing behind; one that was
// interrupted is run again by the next call.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { toError } from '../shared/errors.ts';
import { sessionConfig, withClient } from './schema-connection.ts';
import {
  filters,
  prismaFolder,
  readMigrations,
  withSchemaEngine,
  type MigrationList,
} from './schema-engine.ts';
import { interruption, isOneTransaction, undoInterrupted, type Patience } from './schema-script.ts';
import { schemaStatus, tooOld, type Asker, type SchemaStatus } from './schema-status.ts';

const lockKey = 5_706_271_011; // any number, the same in every process

/**
 * Names of the migrations applied by this call, oldest first. Throws SchemaRefused when the schema is past this build, and an
 * Error with the next step when a migration fails or finds its tables in use for longer than `patience`.
 */
export async function migrate(
  databaseUrl: string,
  folder: string = prismaFolder,
  patience?: Patience,
): Promise<{ applied: string[] }> {
  return withClient(sessionConfig(databaseUrl), async (client) => {
    await lock(client);
    const schema = await client.query(`select 1 from pg_namespace where nspname = 'storytime'`);
    if (schema.rowCount === 0) await client.query('create schema storytime');
    const status = await schemaStatus(askerOf(client), folder);
    if (status.missing.length > 0) throw tooOld(status.missing);
    if (status.pending.length === 0) return { applied: [] };
    await client.query(undoInterrupted);
    const migrationsList = await readMigrations(folder);
    const { appliedMigrationNames } = await withSchemaEngine(
      databaseUrl,
      folder,
      async (engine) => engine.applyMigrations({ migrationsList, filters }),
      patience,
    ).catch(async (error: unknown) => {
      throw await explained(error, migrationsList, askerOf(client));
    });
    return { applied: appliedMigrationNames };
  });
}

/** What the database has and this build knows, compared. Reads only. */
export async function migrationStatus(
  databaseUrl: string,
  folder: string = prismaFolder,
): Promise<SchemaStatus> {
  return withClient(sessionConfig(databaseUrl), async (client) => schemaStatus(askerOf(client), folder));
}

/** Declares a failed migration undone, after its file was corrected; the next `migrate` runs it again. */
export async function markRolledBack(
  databaseUrl: string,
  name: string,
  folder: string = prismaFolder,
): Promise<void> {
  await withSchemaEngine(databaseUrl, folder, async (engine) =>
    engine.markMigrationRolledBack({ migrationName: name }),
  );
}

function askerOf(client: Client): Asker {
  return async (sql) => (await client.query<Record<string, unknown>>(sql.text)).rows;
}

// Asked for again and again instead of waited for inside PostgreSQL: a session that waits there holds a snapshot, and a
// CREATE INDEX CONCURRENTLY of the process that has the lock would wait for it in turn.
async function lock(client: Client): Promise<void> {
  const tryLock = async (): Promise<boolean> => {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [
      lockKey,
    ]);
    return rows[0]?.got === true;
  };
  while (!(await tryLock())) await delay(100);
}

// The engine answers with a trace of its own source; what an operator needs is the name, the reason and the next step.
async function explained(cause: unknown, list: MigrationList, ask: Asker): Promise<Error> {
  const { message } = toError(cause);
  const why = interruption.exec(message)?.[1];
  if (why !== undefined) {
    const todo = 'run `storytime migrate` again, which goes on where it was interrupted';
    return new Error(`migrating the ledger failed: ${why}; ${todo}`, { cause });
  }
  const name = /migration_name="([^"]+)"|The `([^`]+)` migration started/
    .exec(message)
    ?.slice(1)
    .find(Boolean);
  if (name === undefined) return new Error(`migrating the ledger failed: ${message.trim()}`, { cause });
  const reason = /ERROR: [^\n]*/.exec(message)?.[0] ?? 'it failed in an earlier run';
  const kept = isOneTransaction(scriptOf(name, list)) ? 'nothing of it was kept:' : await keptParts(ask);
  const todo = `${kept} correct it, run \`storytime migrate --rolled-back ${name}\`, then migrate again`;
  return new Error(`migration ${name} failed: ${reason}; ${todo}`, { cause });
}

function scriptOf(name: string, { migrationDirectories }: MigrationList): string {
  const content = migrationDirectories.find(({ path }) => path === name)?.migrationFile.content;
  return content?.tag === 'ok' ? content.value : '';
}

const readInvalid = {
  name: 'schema_invalid',
  text: `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'storytime' AND NOT i.indisvalid ORDER BY 1`,
};

// CREATE INDEX CONCURRENTLY leaves an index behind that every write pays for and no query uses, and whose name is taken.
async function keptParts(ask: Asker): Promise<string> {
  // What the migration failed of is more important than a second failure.
  const invalid = await ask(readInvalid).catch(() => []);
  if (invalid.length === 0) return 'parts of it may have been kept: undo them,';
  const drops = invalid.map(({ name }) => `run \`DROP INDEX CONCURRENTLY ${String(name)}\`,`);
  return `parts of it were kept: ${drops.join(' ')}`;
}
