// `storytime migrate`: brings the ledger's tables and, where it lives in PostgreSQL, the engine's up to date.
import { loadConfig } from '../shared/config.ts';
import { migrateEngine } from '../engine/schema.ts';
import { markRolledBack, migrate } from '../ledger/migrate.ts';
import { openDatabase } from './parts.ts';
import { json, type Terminal } from './terminal.ts';

export interface MigrateOptions {
  /** A failed migration whose file was corrected: it is declared undone before migrating. */
  rolledBack?: string;
  json?: boolean;
}

export async function runMigrate(terminal: Terminal, options: MigrateOptions): Promise<void> {
  const config = loadConfig(terminal.env);
  const database = await openDatabase(config, (line) => terminal.err(`${line}\n`));
  try {
    if (options.rolledBack !== undefined) await markRolledBack(database.url, options.rolledBack);
    const { applied } = await migrate(database.url);
    if (config.REDIS_URL === undefined) await migrateEngine(database.url);
    if (options.json === true) terminal.out(json({ applied }));
    else
      terminal.out(applied.length === 0 ? 'Nothing to do: the database is up to date.\n' : listed(applied));
  } finally {
    await database.stop();
  }
}

function listed(names: readonly string[]): string {
  return names.map((name) => `applied ${name}\n`).join('');
}
