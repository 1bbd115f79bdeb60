// One embedded PostgreSQL for the whole run, with a migrated template that tests copy. Its keeper stops it when Jest ends,
// however Jest ends.
import { migrateEngine } from '../../engine/schema.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../ledger/embedded/start.ts';
import { migrate } from '../../ledger/migrate.ts';
import { execute, addressOf, templateName } from './database.ts';
import { createFolder, sweepFolders } from './folders.ts';

declare global {
  var storytimeTestServer: { server: EmbeddedPostgres; folder: string } | undefined;
}

export default async function globalSetup(): Promise<void> {
  await sweepFolders();
  const folder = await createFolder();
  const server = await startEmbeddedPostgres({
    dataDir: `${folder}/postgres`,
    forTests: true,
    log: console.warn,
  });
  globalThis.storytimeTestServer = { server, folder };
  process.env['STORYTIME_TEST_SERVER'] = server.url;
  await execute(`create database ${templateName}`);
  await migrate(addressOf(templateName));
  await migrateEngine(addressOf(templateName));
}
