// The ledger's migrations, run by Prisma's real schema engine on a real server.
// Covers: ledger/author.ts, ledger/schema-connection.ts, ledger/schema-engine.ts, ledger/schema-status.ts
import { createRequire } from 'node:module';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createMigration, missingSql } from '../../ledger/author.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { markRolledBack, migrate, migrationStatus } from '../../ledger/migrate.ts';
import { migrationNames, prismaFolder } from '../../ledger/schema-engine.ts';
import { requireSchema } from '../../ledger/schema-status.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';

async function onEmptyDatabase(work: (database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await createEmptyDatabase();
  try {
    await work(database);
  } finally {
    await database.drop();
  }
}

async function onCopy(work: (folder: string, database: TestDatabase) => Promise<void>): Promise<void> {
  const folder = await createFolder();
  try {
    await cp(prismaFolder, folder, { recursive: true });
    await onEmptyDatabase(async (database) => work(folder, database));
  } finally {
    await removeFolder(folder);
  }
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function onLedger(url: string, work: (db: Db) => Promise<void>): Promise<void> {
  const db = openDb({ url, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

async function addMigration(folder: string, name: string, sql: string): Promise<void> {
  await mkdir(join(folder, 'migrations', name), { recursive: true });
  await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql);
}

test('of four migrations at once one applies everything and three find nothing to do', async () => {
  await onEmptyDatabase(async ({ url }) => {
    const results = await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)]);
    const applied = results.map((result) => result.applied).filter((names) => names.length > 0);
    expect(applied).toEqual([await migrationNames(prismaFolder)]);
    expect(await migrationStatus(url)).toEqual({ pending: [], unknown: [], missing: [] });
  });
});

test('the ledger lives in schema storytime and leaves public empty', async () => {
  await onEmptyDatabase(async ({ url }) => {
    await migrate(url);
    const rows = await query(
      url,
      `select distinct schemaname from pg_tables where schemaname !~ '^(pg_|information)'`,
    );
    expect(rows).toEqual([{ schemaname: 'storytime' }]);
  });
});

test('an empty database has every migration pending, and asking does not change it', async () => {
  await onEmptyDatabase(async ({ url }) => {
    expect(await migrationStatus(url)).toEqual({
      pending: await migrationNames(prismaFolder),
      unknown: [],
      missing: [],
    });
    expect(await query(url, `select 1 from pg_namespace where nspname = 'storytime'`)).toEqual([]);
  });
});

test('a schema that a newer build added to is no obstacle, and there is nothing to migrate', async () => {
  await onCopy(async (folder, { url }) => {
    await addMigration(folder, '29990101000000_future', 'create table future (id int)');
    await migrate(url, folder);
    expect(await migrationStatus(url)).toEqual({
      pending: [],
      unknown: ['29990101000000_future'],
      missing: [],
    });
    expect(await migrate(url)).toEqual({ applied: [] });
    await onLedger(url, async (db) => {
      expect(await requireSchema(db)).toMatchObject({ unknown: ['29990101000000_future'] });
    });
  });
});

test('a build without the migration that the schema asks for refuses to migrate and to run on it', async () => {
  await onCopy(async (folder, { url }) => {
    await addMigration(folder, '29990101000000_future', 'create table future (id int)');
    const raise = `insert into schema_floor (migration) values ('29990101000000_future')`;
    await addMigration(folder, '29990201000000_contract', `alter table job drop column summary;\n${raise};`);
    await migrate(url, folder);
    const refusal = /needs a build that has 29990101000000_future; deploy a newer build/;
    await expect(migrate(url)).rejects.toThrow(refusal);
    await onLedger(url, async (db) => {
      await expect(requireSchema(db)).rejects.toThrow(refusal);
      expect(await requireSchema(db, folder)).toEqual({ pending: [], unknown: [], missing: [] });
    });
  });
});

test('a build refuses to run on a schema that lacks its migrations, and on none at all', async () => {
  await onEmptyDatabase(async ({ url }) => {
    await onLedger(url, async (db) => {
      await expect(requireSchema(db)).rejects.toThrow(
        /older than this build and lacks .*_init.*; run `storytime migrate`/,
      );
    });
  });
});

test('a migration that fails leaves nothing behind, says how to go on, and succeeds once corrected', async () => {
  await onCopy(async (folder, { url }) => {
    const name = '29990101000000_broken';
    await addMigration(folder, name, 'create table half (id int);\ncreate table half (id int);');
    await expect(migrate(url, folder)).rejects.toThrow(
      /_broken failed: ERROR: relation "half" already exists; .*--rolled-back 29990101000000_broken/,
    );
    await expect(migrate(url, folder)).rejects.toThrow(
      /_broken failed: it failed in an earlier run; .*--rolled-back 29990101000000_broken/,
    );
    expect(await query(url, `select 1 from pg_tables where tablename = 'half'`)).toEqual([]);
    await addMigration(
      folder,
      name,
      `create function half() returns text language sql as $$ select 'a;b' $$;`,
    );
    await markRolledBack(url, name, folder);
    expect(await migrate(url, folder)).toEqual({ applied: [name] });
    expect(await query(url, `select storytime.half() as text`)).toEqual([{ text: 'a;b' }]);
  });
});

test('the migrations of this repository match schema.prisma', async () => {
  await onEmptyDatabase(async ({ url }) => {
    expect(await missingSql(url)).toBe('');
  });
});

test('a change of schema.prisma becomes a migration, offline, and no shadow database is left', async () => {
  await onCopy(async (folder, { url }) => {
    const path = join(folder, 'schema.prisma');
    const model = 'model Probe {\n  id Int @id\n  at DateTime @db.Timestamptz(3)\n\n  @@map("probe")\n}\n';
    await writeFile(path, `${await readFile(path, 'utf8')}\n${model}`);
    expect(await missingSql(url, folder)).toContain('CREATE TABLE "probe"');
    const { created = 'none' } = await createMigration(url, 'probe', folder);
    expect(created).toMatch(/^\d{14}_probe$/);
    expect(await readFile(join(folder, 'migrations', created, 'migration.sql'), 'utf8')).toContain(
      'CREATE TABLE "probe"',
    );
    expect(await missingSql(url, folder)).toBe('');
    expect((await createMigration(url, 'again', folder)).created).toBeUndefined();
    expect(await query(url, `select 1 from pg_database where datname like 'prisma_migrate_shadow%'`)).toEqual(
      [],
    );
  });
});

test('an index that a migration of its own builds beside the writers is the one that schema.prisma asks for', async () => {
  await onCopy(async (folder, { url }) => {
    const path = join(folder, 'schema.prisma');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('@@map("leader")', '@@index([until])\n  @@map("leader")'));
    expect(await missingSql(url, folder)).toContain('CREATE INDEX "leader_until_idx"');
    const sql = 'CREATE INDEX CONCURRENTLY "leader_until_idx" ON "leader"("until");';
    await addMigration(folder, '29990101000000_index', sql);
    expect(await missingSql(url, folder)).toBe('');
  });
});

test('the schema engine is of the same commit as the Prisma client', () => {
  const require = createRequire(import.meta.url);
  const engines = createRequire(require.resolve('prisma/package.json'))(
    '@prisma/engines-version/package.json',
  ) as {
    version: string;
  };
  const ours = require('../../package.json') as { dependencies: Record<string, string> };
  expect(ours.dependencies['@prisma/schema-engine-wasm']).toBe(engines.version);
});
