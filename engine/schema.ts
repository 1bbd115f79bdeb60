// BullMQ's own tables for the PostgreSQL backend, in schema `bullmq`. Its connections never make them by themselves. Safe to
// run from many processes at once: BullMQ takes an advisory lock and applies everything in one transaction.
import { runMigrations } from 'bullmq';
import { Client, DatabaseError } from 'pg';
import { sessionOf } from '../shared/addresses.ts';

/** Drops everything the engine has and makes it anew: for `storytime drill`, which only does it to a system of its own. */
export async function loseEngine(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await dropSchema(client, 20);
  } finally {
    await client.end();
  }
  await migrateEngine(databaseUrl);
}

/** Live workers hold locks on its tables in an order of their own: PostgreSQL may end either side of the deadlock. */
async function dropSchema(client: Client, tries: number): Promise<void> {
  try {
    await client.query('DROP SCHEMA bullmq CASCADE');
  } catch (thrown) {
    if (tries <= 1 || !(thrown instanceof DatabaseError) || thrown.code !== '40P01') throw thrown;
    await dropSchema(client, tries - 1);
  }
}

/** Creates or updates schema `bullmq`; about 0.1 s the first time, a few milliseconds later. */
export async function migrateEngine(databaseUrl: string): Promise<void> {
  const client = new Client(sessionOf(databaseUrl, '-c timezone=UTC'));
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, 'bullmq');
  } finally {
    await client.end();
  }
}
