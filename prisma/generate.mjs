// Generates the Prisma client into ledger/generated, only when the schema has changed. The CLI would download an engine
// before any command; naming an existing file stops that (migrations use the WASM engine, see ledger/migrate.ts).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const stamp = 'ledger/generated/.schema-hash';
const version = require('prisma/package.json').version;
const hash = createHash('sha256').update(version).update(readFileSync('prisma/schema.prisma')).digest('hex');
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) process.exit(0);

const env = { PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1', ...process.env };
env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
const run = spawnSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate'], {
  env,
  encoding: 'utf8',
});
if (run.status !== 0) {
  console.error(`${run.stdout}${run.stderr}`);
  process.exit(run.status ?? 1);
}
writeFileSync(stamp, hash);
