// Prisma's own schema engine, the WebAssembly build of the very commit the CLI would download as a binary: migrations need
// no download and no binary for the platform.
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as Wasm from '@prisma/schema-engine-wasm';
import { openMigrationDatabase } from './schema-connection.ts';
import { usualPatience, type Patience } from './schema-script.ts';

export type SchemaEngine = Wasm.SchemaEngine;
export type MigrationList = Wasm.MigrationList;

/** The folder with schema.prisma and migrations/: beside ledger/ in the sources as in dist/. */
export const prismaFolder = fileURLToPath(new URL('../prisma/', import.meta.url));

export const filters = { externalTables: [], externalEnums: [] };

/** Runs `work` with an engine on `databaseUrl`; its connections are closed afterwards. */
export async function withSchemaEngine<Result>(
  databaseUrl: string,
  folder: string,
  work: (engine: SchemaEngine) => Promise<Result>,
  patience: Patience = usualPatience,
): Promise<Result> {
  const database = openMigrationDatabase(databaseUrl, patience);
  try {
    const { SchemaEngine } = await loadOnce();
    const datamodels = (await readSchema(folder)).files.map((file): [string, string] => [
      file.path,
      file.content,
    ]);
    const adapter = bindMigrationAwareSqlAdapterFactory(database);
    const engine = await SchemaEngine.new({ datamodels }, () => undefined, adapter);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await database.close();
  }
}

export async function readSchema(folder: string): Promise<{ files: { path: string; content: string }[] }> {
  const path = join(folder, 'schema.prisma');
  return { files: [{ path, content: await readFile(path, 'utf8') }] };
}

/** Names of the migrations on disk, oldest first. */
export async function migrationNames(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'migrations'), { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

/** The migrations as the engine wants them: it reads no file itself. */
export async function readMigrations(folder: string): Promise<MigrationList> {
  const baseDir = join(folder, 'migrations');
  const lockfile = await readFile(join(baseDir, 'migration_lock.toml'), 'utf8').catch(() => null);
  const directories = (await migrationNames(folder)).map(async (path): Promise<Wasm.MigrationDirectory> => {
    const content = await readFile(join(baseDir, path, 'migration.sql'), 'utf8').then(
      (value) => ({ tag: 'ok' as const, value }),
      (error: unknown) => ({ tag: 'error' as const, value: String(error) }),
    );
    return { path, migrationFile: { path: 'migration.sql', content } };
  });
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(directories),
  };
}

// Not in Node's types, and the browser's would bring the whole DOM along.
declare const WebAssembly: {
  instantiate: (bytes: Uint8Array, imports: object) => Promise<{ instance: { exports: Exports } }>;
};
type Exports = Record<string, unknown>;
type Bindings = typeof Wasm & { __wbg_set_wasm: (exports: Exports) => void };

let loaded: Promise<typeof Wasm> | undefined;

// Once a process: the bindings keep one instance, and a second one would pull it from under engines that are at work.
async function loadOnce(): Promise<typeof Wasm> {
  loaded ??= load();
  return loaded;
}

// The package imports its .wasm as an ES module, which Node hides behind a flag: instantiate it by hand instead.
async function load(): Promise<typeof Wasm> {
  const source = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindings = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as Bindings;
  const bytes = await readFile(source.replace(/\.js$/, '.wasm'));
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panic } });
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': withIdleTimers(bindings),
  });
  const { __wbg_set_wasm: setWasm } = bindings;
  setWasm(instance.exports);
  const { __wbindgen_start: start } = instance.exports;
  if (typeof start === 'function') start();
  return bindings;
}

// The engine never clears the timers of its timeouts (10 s to a minute): they must not keep a finished process alive.
function withIdleTimers(bindings: Bindings): object {
  const [name = '', setTimer] =
    Object.entries(bindings).find(([key]) => key.startsWith('__wbg_setTimeout_')) ?? [];
  if (typeof setTimer !== 'function') return bindings;
  const timer = setTimer as unknown as (run: () => void, ms: number) => NodeJS.Timeout;
  return { ...bindings, [name]: (run: () => void, ms: number) => timer(run, ms).unref() };
}

function panic(message: string): void {
  process.stderr.write(`Prisma's schema engine stopped: ${message}\n`);
}
