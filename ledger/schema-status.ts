// Whether this build and the database's schema go together. A newer schema is no obstacle in itself: migrations only add, and
// what takes something away raises the floor, a migration that a build must have to run on it (docs/versions.md).
import { SchemaRefused } from '../shared/errors.ts';
import type { Db, Statement } from './db.ts';
import { migrationNames, prismaFolder } from './schema-engine.ts';

export interface SchemaStatus {
  /** In this build, not in the database. */
  pending: string[];
  /** In the database, not in this build: a newer one has migrated. */
  unknown: string[];
  /** Those of the unknown ones without which a build must not run any more. */
  missing: string[];
}

/** Runs one statement; the rows. */
export type Asker = (statement: Statement) => Promise<readonly Record<string, unknown>[]>;

const readTables = {
  name: 'schema_tables',
  text: `SELECT to_regclass('storytime._prisma_migrations') IS NOT NULL AS migrations,
      to_regclass('storytime.schema_floor') IS NOT NULL AS floors`,
};
const readApplied = {
  name: 'schema_applied',
  text: `SELECT DISTINCT migration_name AS name FROM storytime._prisma_migrations
    WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1`,
};
const readFloors = { name: 'schema_floors', text: 'SELECT migration AS name FROM storytime.schema_floor' };

export async function schemaStatus(ask: Asker, folder: string = prismaFolder): Promise<SchemaStatus> {
  const [tables] = await ask(readTables);
  const applied = tables?.['migrations'] === true ? namesOf(await ask(readApplied)) : [];
  const floors = tables?.['floors'] === true ? namesOf(await ask(readFloors)) : [];
  const known = await migrationNames(folder);
  const isKnown = (name: string): boolean => known.includes(name);
  return {
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !isKnown(name)),
    missing: floors.filter((name) => !isKnown(name)),
  };
}

function namesOf(rows: readonly Record<string, unknown>[]): string[] {
  return rows.map(({ name }) => String(name));
}

/** Reads the status on a connection of the pool; throws SchemaRefused unless this build can work on this schema. */
export async function requireSchema(db: Db, folder: string = prismaFolder): Promise<SchemaStatus> {
  const status = await schemaStatus((statement) => db.run(statement, []), folder);
  if (status.missing.length > 0) throw tooOld(status.missing);
  if (status.pending.length === 0) return status;
  const lacks = status.pending.join(', ');
  throw new SchemaRefused(
    `the ledger cannot be used: its schema is older than this build and lacks ${lacks}; run \`storytime migrate\``,
  );
}

export function tooOld(missing: readonly string[]): SchemaRefused {
  return new SchemaRefused(
    `the ledger cannot be used: its schema needs a build that has ${missing.join(', ')}; deploy a newer build`,
  );
}
