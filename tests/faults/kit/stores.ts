// The stores of a row: its own database on the run's server (or a server of its own), and its own Redis (or group of them) on that engine.
import { createDatabase } from '../../support/database.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startGroup, type GroupKind, type RedisGroup } from '../../support/redis-groups.ts';
import { startOwnPostgres, type OwnPostgres } from './postgres.ts';

export type EngineName = 'redis' | 'postgres';

export interface StoreOptions {
  engine: EngineName;
  /** A PostgreSQL server that the row may stop; takes three seconds. */
  ownPostgres?: boolean;
  /** More arguments of redis-server, e.g. ['--appendonly', 'yes']. */
  redisArgs?: readonly string[];
  /** On engine redis: several servers in the place of one. */
  redisGroup?: GroupKind;
}

export interface Stores {
  databaseUrl: string;
  /** On engine redis: what REDIS_URL is. */
  redisUrl: string | undefined;
  /** On engine redis, unless it is a group. */
  redis: TestRedis | undefined;
  /** With `redisGroup`. */
  group: RedisGroup | undefined;
  /** With `ownPostgres`. */
  postgres: OwnPostgres | undefined;
  close: () => Promise<void>;
}

export async function openStores(options: StoreOptions): Promise<Stores> {
  const postgres = options.ownPostgres === true ? await startOwnPostgres() : undefined;
  const database = postgres === undefined ? await createDatabase() : undefined;
  const { redisUrl, redis, group } = await openRedis(options);
  return {
    databaseUrl: postgres?.url ?? database?.url ?? '',
    redisUrl,
    redis,
    group,
    postgres,
    async close() {
      await redis?.stop();
      await group?.stop();
      await database?.drop();
      await postgres?.close();
    },
  };
}

async function openRedis({
  engine,
  redisArgs = [],
  redisGroup,
}: StoreOptions): Promise<Pick<Stores, 'redisUrl' | 'redis' | 'group'>> {
  if (engine === 'postgres') return { redisUrl: undefined, redis: undefined, group: undefined };
  if (redisGroup === undefined) {
    const redis = await startRedis({ args: [...redisArgs] });
    return { redisUrl: redis.url, redis, group: undefined };
  }
  const group = await startGroup(redisGroup);
  return { redisUrl: group.url, redis: undefined, group };
}
