// What the schema engine talks to: @prisma/adapter-pg 7.10 with the corrections that migrations need. Each line below that
// looks odd stands for a defect that was seen; none is needed for ordinary queries.
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
} from '@prisma/driver-adapter-utils';
import { Client, Pool, type PoolConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { sessionOf } from '../shared/addresses.ts';
import { marksScripts, type Patience } from './schema-script.ts';

export interface MigrationDatabase extends SqlMigrationAwareDriverAdapterFactory {
  close: () => Promise<void>;
}

// The adapter drops time zone offsets, so sessions must be in UTC; the ledger's tables live in a schema of their own.
const sessionOptions = '-c timezone=UTC -c search_path=storytime';

/** Settings for a session of the ledger; fields of their own instead of a connection string, which would win over `database`. */
export function sessionConfig(databaseUrl: string): PoolConfig {
  const { connectionString, options } = sessionOf(databaseUrl, sessionOptions);
  const { connectionString: _, ...config } = parseIntoClientConfig(connectionString) as PoolConfig;
  return { ...config, options };
}

/** Opens connections for one run of the engine; `close` ends them all. */
export function openMigrationDatabase(databaseUrl: string, patience: Patience): MigrationDatabase {
  const config = sessionConfig(databaseUrl);
  const pools = new Set<Pool>();
  const open = async (
    database?: string,
  ): Promise<{ adapter: SqlDriverAdapter; close: () => Promise<void> }> => {
    // One session: the engine's advisory lock belongs to the session that took it.
    const pool = new Pool({ ...config, ...(database && { database }), max: 1, idleTimeoutMillis: 0 });
    pool.on('error', () => undefined);
    pools.add(pool);
    const close = async (): Promise<void> => {
      if (pools.delete(pool)) await pool.end();
    };
    return {
      adapter: corrected(await new PrismaPg(pool, { schema: 'storytime' }).connect(), patience),
      close,
    };
  };
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: async () => (await open()).adapter,
    // The adapter's own shadow is the real database when the address is a string, and is dropped while still in use.
    connectToShadowDb: async () => {
      const name = `prisma_migrate_shadow_db_${randomUUID()}`;
      await execute(config, `create database "${name}"`);
      await execute({ ...config, database: name }, 'create schema storytime');
      const { adapter, close } = await open(name);
      adapter.dispose = async () => {
        await close();
        await execute(config, `drop database if exists "${name}" with (force)`);
      };
      return adapter;
    },
    close: async () => {
      await Promise.all([...pools].map(async (pool) => pool.end()));
    },
  };
}

interface Answer {
  fields?: { dataTypeID: number }[];
}

function corrected(adapter: SqlDriverAdapter, patience: Patience): SqlDriverAdapter {
  const letters = new WeakMap<SqlQuery, boolean[]>();
  marksScripts(adapter, patience);
  // The catalogue's one-letter type "char" (18) is refused: pass it off as bpchar (1042), then give its columns the type
  // that the engine's reader of PostgreSQL 18's NOT NULL constraints insists on.
  const inner = adapter as unknown as { performIO: (query: SqlQuery) => Promise<Answer> };
  const performIO = inner.performIO.bind(adapter);
  inner.performIO = async (query) => {
    const answer = await performIO(query);
    const fields = answer.fields ?? [];
    letters.set(
      query,
      fields.map((field) => field.dataTypeID === 18),
    );
    for (const field of fields) if (field.dataTypeID === 18) field.dataTypeID = 1042;
    return answer;
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    const isLetter = letters.get(query) ?? [];
    return {
      ...result,
      columnTypes: result.columnTypes.map((type, at) => (isLetter[at] ? ColumnTypeEnum.Character : type)),
    };
  };
  return adapter;
}

async function execute(config: PoolConfig, sql: string): Promise<void> {
  await withClient(config, async (client) => client.query(sql));
}

/** Runs `work` on one connection of its own. */
export async function withClient<Result>(
  config: PoolConfig,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
