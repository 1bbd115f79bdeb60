// The stores of a row: its own database on the run's server (or a server of its own), and its own Redis on that engine.
import { createDatabase } from '../../support/database.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startOwnPostgres, type OwnPostgres } from './postgres.ts';

export type EngineName = 'redis' | 'postgres';

export interface StoreOptions {
  engine: EngineName;
  /** A PostgreSQL server that the row may stop; takes three seconds. */
  ownPostgres?: boolean;
  /** More arguments of redis-server, e.g. ['--appendonly', 'yes']. */
  redisArgs?: readonly string[];
}

export interface Stores {
  databaseUrl: string;
  /** On engine redis. */
  redis: TestRedis | undefined;
  /** With `ownPostgres`. */
  postgres: OwnPostgres | undefined;
  close: () => Promise<void>;
}

export async function openStores({ engine, ownPostgres, redisArgs = [] }: StoreOptions): Promise<Stores> {
  const postgres = ownPostgres === true ? await startOwnPostgres() : undefined;
  const database = postgres === undefined ? await createDatabase() : undefined;
  const redis = engine === 'redis' ? await startRedis({ args: [...redisArgs] }) : undefined;
  return {
    databaseUrl: postgres?.url ?? database?.url ?? '',
    redis,
    postgres,
    async close() {
      await redis?.stop();
      await database?.drop();
      await postgres?.close();
    },
  };
}
