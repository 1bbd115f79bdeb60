// BullMQ's own tables beside the ledger's.
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { migrateEngine } from '../../engine/schema.ts';
import { createEmptyDatabase } from '../support/database.ts';

test('four processes may create the engine tables at once, in schema bullmq alone', async () => {
  const { url, drop } = await createEmptyDatabase();
  const client = new Client({ connectionString: url });
  try {
    await Promise.all([migrateEngine(url), migrateEngine(url), migrateEngine(url), migrateEngine(url)]);
    await client.connect();
    const { rows } = await client.query<{ schemaname: string }>(
      `select distinct schemaname from pg_tables where schemaname !~ '^(pg_|information)'`,
    );
    expect(rows).toEqual([{ schemaname: 'bullmq' }]);
  } finally {
    await client.end();
    await drop();
  }
});
