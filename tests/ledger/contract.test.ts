import { expect, test } from '@jest/globals';
import { breakingMigrations } from '../../ledger/author.ts';
import { contractProblems } from '../../ledger/contract.ts';

const first = { name: '1_first', sql: 'CREATE TABLE "job" ("id" UUID NOT NULL, "old" TEXT);' };

const second = '29990101000000_second';

function problems(sql: string): string[] {
  return contractProblems([first, { name: second, sql }]);
}

test('what breaks the build before is refused without a note', () => {
  const breaking = {
    'ALTER TABLE "job" DROP COLUMN "old"': 'drops a column',
    'ALTER TABLE "job" ADD COLUMN "a" TEXT,\nDROP COLUMN "old"': 'drops a column',
    'alter table job drop old': 'drops a column',
    'DROP TABLE "job"': 'drops something',
    'DROP TYPE "job_state"': 'drops something',
    'DROP INDEX "job_name_key"': 'drops a unique index',
    'ALTER TABLE "job" DROP CONSTRAINT "job_pkey"': 'drops a unique constraint',
    'ALTER TABLE "job" ALTER COLUMN "old" DROP DEFAULT': 'drops a default',
    'ALTER TABLE "job" RENAME COLUMN "old" TO "new"': 'renames',
    'ALTER TABLE "job" RENAME TO "work"': 'renames',
    "ALTER TYPE \"job_state\" RENAME VALUE 'a' TO 'b'": 'renames',
    'ALTER TABLE "job" ALTER COLUMN "old" SET DATA TYPE INTEGER': 'changes a type',
    'ALTER TABLE "job" ALTER "old" TYPE int USING "old"::int': 'changes a type',
    'ALTER TABLE "job" ALTER COLUMN "old" SET NOT NULL': 'NOT NULL',
    'ALTER TABLE "job" ADD COLUMN "new" TEXT NOT NULL': 'has no default',
    'ALTER TABLE "job" ADD COLUMN "a" TEXT NOT NULL,\nADD COLUMN "b" INTEGER NOT NULL DEFAULT 1':
      'has no default',
    'ALTER TABLE "job" ADD COLUMN "a" INTEGER NOT NULL DEFAULT 1,\nADD COLUMN "b" TEXT NOT NULL':
      'has no default',
    'ALTER TABLE "job" ADD CONSTRAINT "c" CHECK ("old" IS NOT NULL)': 'adds a constraint',
    'CREATE UNIQUE INDEX "job_old_key" ON "job"("old")': 'adds a unique index',
  };
  for (const [sql, what] of Object.entries(breaking))
    expect([sql, problems(sql).join('\n')]).toEqual([sql, expect.stringContaining(what)]);
});

test('what only adds, and whatever happens to a table of the same migration, is let through', () => {
  const adding = [
    'ALTER TABLE "job" ADD COLUMN "new" TEXT',
    'ALTER TABLE "job" ADD COLUMN "new" SMALLINT NOT NULL DEFAULT 1,\nADD COLUMN "why" TEXT',
    `ALTER TABLE "worker" ADD COLUMN "knows" TEXT[] DEFAULT ARRAY[]::TEXT[]`,
    'CREATE INDEX CONCURRENTLY "i" ON "job"("old") WHERE "old" IS NOT NULL',
    'DROP INDEX "job_old_idx"',
    'ALTER TABLE "job" ALTER COLUMN "old" DROP NOT NULL; ALTER TABLE "job" DROP CONSTRAINT "job_priority_check"',
    'CREATE TABLE "page" ("id" INT NOT NULL); ALTER TABLE "page" ADD CONSTRAINT "c" CHECK ("id" > 0); CREATE UNIQUE INDEX "page_key" ON "page"("id")',
    `-- DROP TABLE "job"\nINSERT INTO "price" ("source") VALUES ('DROP TABLE "job"; x')`,
    `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE job; $$`,
  ];
  for (const sql of adding) expect([sql, problems(sql)]).toEqual([sql, []]);
});

test('a note says since when nothing reads it, and a floor keeps out the builds that still do', () => {
  const sql = '-- contract: not read since version 1.4.0\nALTER TABLE "job" DROP COLUMN "old";';
  const raise = (name: string) => `${sql}\nINSERT INTO "schema_floor" ("migration") VALUES ('${name}');`;
  expect(problems(raise('1_first'))).toEqual([]);
  for (const wrong of [sql, raise(second), raise('unheard_of')])
    expect(problems(wrong)).toEqual([expect.stringContaining(`${second} raises no floor`)]);
});

test('an index that lets nobody write to a table while it is built is refused, and told how it is built instead', () => {
  const refused = [
    'CREATE INDEX "i" ON "job"("old")',
    'CREATE INDEX ON "storytime"."job" USING btree (old)',
    'create index i on only job (old)',
    `-- What Prisma's language has no word for.\nCREATE INDEX "i" ON "job" ("old") WHERE "old" = 'it''s'`,
    'CREATE TABLE "page" ("id" INT); CREATE INDEX "i" ON "job"("old")',
    '-- stays small: gate, a row for each\nCREATE INDEX "i" ON "job"("old")',
    '-- stays small: job\nCREATE INDEX "i" ON "job"("old")',
  ];
  const remedy =
    /to job while it builds .* CREATE INDEX CONCURRENTLY in a migration of its own, .* `-- stays small: job, because/;
  for (const sql of refused) expect([sql, problems(sql)]).toEqual([sql, [expect.stringMatching(remedy)]]);
  const fine = [
    '-- stays small: job, a row for each queue\nCREATE INDEX "i" ON "job"("old")',
    'CREATE TABLE "page" ("id" INT); CREATE INDEX "i" ON "page"("id")',
    'DROP INDEX CONCURRENTLY "job_old_idx"',
  ];
  for (const sql of fine) expect([sql, problems(sql)]).toEqual([sql, []]);
});

test('an index that is built beside the writers is alone in its migration and takes no half one for its own', () => {
  const add = 'ALTER TABLE "job" ADD COLUMN "new" TEXT;';
  for (const sql of ['CREATE INDEX CONCURRENTLY "i" ON "job"("new")', 'DROP INDEX CONCURRENTLY "i"'])
    expect(problems(`${add} ${sql}`)).toEqual([
      expect.stringMatching(/only a migration of its own can hold/),
    ]);
  expect(problems('CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "job"("old")')).toEqual([
    expect.stringMatching(/leave out IF NOT EXISTS/),
  ]);
});

test('a unique index that is built so has its floor in the migration before it', () => {
  const sql =
    '-- contract: not read since version 1.4.0\nCREATE UNIQUE INDEX CONCURRENTLY "job_old_key" ON "job"("old");';
  const floor = `INSERT INTO "schema_floor" ("migration") VALUES ('1_first');`;
  const raising = { name: '29980101000000_floor', sql: floor };
  expect(contractProblems([first, raising, { name: second, sql }])).toEqual([]);
  expect(problems(sql)).toEqual([expect.stringMatching(/raises no floor: .* in a migration just before it/)]);
});

test('every migration of this repository leaves the build before it running', async () => {
  expect(await breakingMigrations()).toEqual([]);
});
