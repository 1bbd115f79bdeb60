// node prisma/author.mjs dev NAME   writes prisma/migrations/<time>_NAME from the changes in schema.prisma
// node prisma/author.mjs check      fails when schema.prisma has changes without a migration, or a migration would break or
//                                   hold up the build before it (docs/versions.md)
// Works offline, in an embedded PostgreSQL of its own that is thrown away.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { startEmbeddedPostgres } = await import('../ledger/embedded/start.ts');
const { breakingMigrations, createMigration, missingSql } = await import('../ledger/author.ts');

async function dev(url, name) {
  if (!/^[a-z][a-z0-9_]*$/.test(name ?? '')) throw new Error('a migration needs a name, e.g. dev add_gate');
  const { created, warnings } = await createMigration(url, name);
  for (const line of warnings) console.warn(`warning: ${line}`);
  console.log(created ? `wrote prisma/migrations/${created}` : 'the migrations match schema.prisma');
}

async function check(url) {
  const breaking = await breakingMigrations();
  if (breaking.length > 0) throw new Error(breaking.join('\n'));
  const sql = await missingSql(url);
  if (sql)
    throw new Error(
      `schema.prisma has changes without a migration; run node prisma/author.mjs dev NAME:\n${sql}`,
    );
  console.log('the migrations match schema.prisma');
}

const [command, name] = process.argv.slice(2);
const work = { dev, check }[command];
if (!work) {
  console.error('usage: node prisma/author.mjs dev NAME | check');
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), 'storytime-author-'));
const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), forTests: true });
try {
  await work(server.url, name);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
