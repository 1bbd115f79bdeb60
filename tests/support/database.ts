// Databases for tests, on the one server of the run (global-setup.ts). A migrated one is a copy of the template, so it
// costs tens of milliseconds; each call gets its own, so tests share nothing.
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  /** postgres:// address. */
  url: string;
  /** Removes the database, cutting connections that are still open. */
  drop: () => Promise<void>;
}

export const templateName = 'storytime_template';

/** A database with the ledger's tables and the engine's. */
export async function createDatabase(): Promise<TestDatabase> {
  return create(`template ${templateName}`);
}

/** A database with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return create('template template0');
}

async function create(source: string): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await execute(`create database ${name} ${source}`);
  return { url: addressOf(name), drop: async () => execute(`drop database ${name} with (force)`) };
}

/** The address of one database on the run's server. */
export function addressOf(name: string): string {
  const server = process.env['STORYTIME_TEST_SERVER'];
  if (server === undefined)
    throw new Error('no test server: run tests through Jest, whose global setup starts it');
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs one statement as the owner of the server. */
export async function execute(sql: string): Promise<void> {
  const client = new Client({ connectionString: addressOf('postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
