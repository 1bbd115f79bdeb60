// Migrations that are interrupted for real: the process killed, its session ended, in the middle of the script.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { markRolledBack, migrate, migrationStatus } from '../../ledger/migrate.ts';
import { prismaFolder } from '../../ledger/schema-engine.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';

const name = '29990101000000_slow';
// Waits for as long as the test likes, not only as long as scripts do.
const slow = `set local lock_timeout = 0;\ncreate table story_probe (id int);\nselect pg_advisory_xact_lock(42);\ninsert into story_probe values (1); -- done`;

let folder: string;
let database: TestDatabase;
/** Holds what the migration waits for, so that it stands still in the middle. */
let holder: Client;
let watcher: Client;
beforeEach(async () => {
  folder = await createFolder();
  await cp(prismaFolder, folder, { recursive: true });
  database = await createEmptyDatabase();
  await migrate(database.url);
  [holder, watcher] = [0, 1].map(() => new Client({ connectionString: database.url })) as [Client, Client];
  await Promise.all([holder.connect(), watcher.connect()]);
});
afterEach(async () => {
  await Promise.all([holder.end(), watcher.end()]);
  await database.drop();
  await removeFolder(folder);
});

async function addMigration(sql: string): Promise<void> {
  await mkdir(join(folder, 'migrations', name), { recursive: true });
  await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql);
}

function migrateElsewhere(): TestProcess {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const source = new URL('../../ledger/migrate.ts', import.meta.url).href;
  const [url, path] = [database.url, folder].map((text) => JSON.stringify(text));
  const program = `import { migrate } from '${source}'; await migrate(${url}, ${path});`;
  return startProcess(['--import', loader, '--input-type=module', '--eval', program]);
}

/** Resolves when this many sessions stand still at a lock; the process of the one at the migration's script. */
async function waiting(count: number): Promise<number> {
  const sql = `select pid, query like '%story_probe%' as "isScript" from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  for (;;) {
    const { rows } = await watcher.query<{ pid: number; isScript: boolean }>(sql);
    const script = rows.find(({ isScript }) => isScript);
    if (rows.length === count && script !== undefined) return script.pid;
    await delay(20);
  }
}

async function endSession(pid: number): Promise<void> {
  await watcher.query('select pg_terminate_backend($1, 10000)', [pid]);
}

async function probes(): Promise<number | null> {
  const { rowCount } = await holder.query('select 1 from storytime.story_probe');
  return rowCount;
}

test('a migration killed in the middle is run again by the next call, with nothing to correct', async () => {
  await addMigration(slow);
  await holder.query('select pg_advisory_lock(42)');
  const killed = migrateElsewhere();
  const session = await waiting(1);
  await killed.end('SIGKILL');
  await endSession(session);
  await holder.query('select pg_advisory_unlock(42)');
  expect(await migrate(database.url, folder)).toEqual({ applied: [name] });
  expect(await probes()).toBe(1);
});

test('a script that the server still runs for a killed process is waited for, not run twice', async () => {
  await addMigration(slow);
  await holder.query('select pg_advisory_lock(42)');
  const killed = migrateElsewhere();
  await waiting(1);
  await killed.end('SIGKILL');
  const next = migrate(database.url, folder);
  await waiting(2);
  await holder.query('select pg_advisory_unlock(42)');
  expect(await next).toEqual({ applied: [] });
  expect(await probes()).toBe(1);
  expect(await migrationStatus(database.url, folder)).toMatchObject({ pending: [] });
});

test('a lost connection is told as such, not as a fault of the migration, and the next call goes on', async () => {
  await addMigration(slow);
  await holder.query('select pg_advisory_lock(42)');
  const cut = migrate(database.url, folder).catch(String);
  await endSession(await waiting(1));
  expect(await cut).toMatch(/the connection to PostgreSQL was lost; run `storytime migrate` again/);
  await holder.query('select pg_advisory_unlock(42)');
  expect(await migrate(database.url, folder)).toEqual({ applied: [name] });
});

const alters = `alter table job add column story_probe int;\ncreate table story_probe as select 1 as id;`;
/** Short waits, so that others get their turn soon; it never gives up. */
const tireless = { waitMs: 200, pauseMs: 20, tries: Infinity };

/** How often the migration was tried, by the engine's own account, and how it ended. */
async function runs(): Promise<unknown[]> {
  const { rows } = await watcher.query(
    `select finished_at is not null as done, rolled_back_at is not null as undone from storytime._prisma_migrations
     where migration_name = $1 order by started_at`,
    [name],
  );
  return rows;
}

test('while a migration waits for a table everybody else goes on, and once the table is free it is applied once', async () => {
  await addMigration(alters);
  await holder.query('begin; select from storytime.job');
  const migrated = migrate(database.url, folder, tireless);
  for (let reads = 0; reads < 5; reads += 1) {
    await waiting(1);
    await watcher.query('select from storytime.job');
    await watcher.query('update storytime.job set progress = 0');
  }
  await holder.query('commit');
  expect(await migrated).toEqual({ applied: [name] });
  expect(await probes()).toBe(1);
  expect(await runs()).toEqual([{ done: true, undone: false }]);
});

test('a migration that never gets its table says who has it, and the next call goes on with nothing to correct', async () => {
  await addMigration(alters);
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  await holder.query('begin; select from storytime.job');
  const tried = migrate(database.url, folder, { waitMs: 20, pauseMs: 1, tries: 3 });
  await expect(tried).rejects.toThrow(
    new RegExp(
      `session ${rows[0]?.pid} \\(\\w+, idle in transaction, begun .*\\) with AccessShareLock on job; .*pg_stat_activity.*; run \`storytime migrate\` again`,
    ),
  );
  expect(await migrationStatus(database.url, folder)).toMatchObject({ pending: [name] });
  await holder.query('commit');
  expect(await migrate(database.url, folder)).toEqual({ applied: [name] });
  expect(await probes()).toBe(1);
  expect(await runs()).toEqual([
    { done: false, undone: true },
    { done: true, undone: false },
  ]);
});

test('a migration that PostgreSQL ends for a deadlock with the others is run again', async () => {
  await addMigration(
    `alter table job add column story_probe int;\nalter table artifact add column more int;`,
  );
  // The other side is never the one that is ended.
  await holder.query(`set deadlock_timeout = '1h'; begin; select from storytime.artifact`);
  const migrated = migrate(database.url, folder, { ...tireless, waitMs: 5_000 });
  await waiting(1);
  await holder.query('select from storytime.job');
  await holder.query('commit');
  expect(await migrated).toEqual({ applied: [name] });
});

const concurrent = 'create index concurrently story_probe on storytime.job (summary);';

test('a script that no transaction can hold is run as it is', async () => {
  await addMigration(concurrent);
  expect(await migrate(database.url, folder)).toEqual({ applied: [name] });
  expect(await migrate(database.url, folder)).toEqual({ applied: [] });
});

test('such a script that was interrupted is refused, because a part of it may have been kept', async () => {
  await addMigration(concurrent);
  await holder.query('begin; lock table storytime.job');
  const cut = migrate(database.url, folder).catch(String);
  await endSession(await waiting(1));
  expect(await cut).toMatch(/was lost/);
  await holder.query('rollback');
  await expect(migrate(database.url, folder)).rejects.toThrow(/_slow failed: .*--rolled-back/);
});

test('an index that was half built when it was stopped is dropped and built again, in the steps that the message tells', async () => {
  await addMigration(concurrent);
  await holder.query('begin; lock table storytime.job in row exclusive mode');
  const cut = migrate(database.url, folder).catch(String);
  await watcher.query('select pg_cancel_backend($1)', [await waiting(1)]);
  const steps = `run \`DROP INDEX CONCURRENTLY storytime.story_probe\`, correct it, run \`storytime migrate --rolled-back ${name}\``;
  expect(await cut).toContain(
    `failed: ERROR: canceling statement due to user request; parts of it were kept: ${steps}`,
  );
  await holder.query('rollback');
  await expect(migrate(database.url, folder)).rejects.toThrow(
    `failed in an earlier run; parts of it were kept: ${steps}`,
  );
  await holder.query('drop index concurrently storytime.story_probe');
  await markRolledBack(database.url, name, folder);
  expect(await migrate(database.url, folder)).toEqual({ applied: [name] });
  const { rows } = await holder.query(
    `select indisvalid from pg_index where indexrelid = 'storytime.story_probe'::regclass`,
  );
  expect(rows).toEqual([{ indisvalid: true }]);
});

test('what the rows of a table forbid is told in the words of PostgreSQL', async () => {
  await addMigration(
    `insert into leader (holder, until, duty) select gen_random_uuid(), now(), d from unnest(array['a', 'b']) d;\n` +
      `create unique index story_probe on leader (until);`,
  );
  await expect(migrate(database.url, folder)).rejects.toThrow(
    /_slow failed: ERROR: could not create unique index "story_probe"; nothing of it was kept/,
  );
});
