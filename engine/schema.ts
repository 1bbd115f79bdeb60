// BullMQ's own tables for the PostgreSQL backend, in schema `bullmq`. Its connections never make them by themselves. Safe to
// run from many processes at once: BullMQ takes an advisory lock and applies everything in one transaction.
import { runMigrations } from 'bullmq';
import { Client } from 'pg';

/** Drops everything the engine has and makes it anew: for `storytime drill`, which only does it to a system of its own. */
export async function loseEngine(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('DROP SCHEMA bullmq CASCADE');
  } finally {
    await client.end();
  }
  await migrateEngine(databaseUrl);
}

/** Creates or updates schema `bullmq`; about 0.1 s the first time, a few milliseconds later. */
export async function migrateEngine(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, options: '-c timezone=UTC' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, 'bullmq');
  } finally {
    await client.end();
  }
}
