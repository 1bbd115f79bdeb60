// Which jobs the engine has yet to end, looked up in bulk: a thousand ids are one round trip. BullMQ asks for one job at a time.
import type { Pool } from 'pg';
import type { Store } from './connect.ts';
import { prefix, type Held } from './types.ts';

type RedisClient = Extract<Store, { kind: 'redis' }>['client'];

/** Engine id -> how the engine holds it. Ids it has ended, or never had, or lost, are not in the map. */
export function held(store: Store, queue: string, ids: readonly string[]): Promise<Map<string, Held>> {
  if (ids.length === 0) return Promise.resolve(new Map());
  return store.kind === 'redis'
    ? heldInRedis(store.client, queue, ids)
    : heldInPostgres(store.pool, queue, ids);
}

async function heldInPostgres(pool: Pool, queue: string, ids: readonly string[]): Promise<Map<string, Held>> {
  const { rows } = await pool.query<{ id: string; active: boolean }>({
    name: 'engine_held',
    text: `SELECT id, state = 'active' AS active FROM job
      WHERE queue = $1 AND id = ANY($2::text[]) AND state IN ('waiting', 'delayed', 'active')`,
    values: [queue, [...ids]],
  });
  return new Map(rows.map(({ id, active }) => [id, active ? 'active' : 'queued']));
}

/**
 * Our jobs all have a priority, so they wait in the sorted sets; the lists are short. The order of the look-ups matters: a job
 * moves from `delayed` to `prioritized` to `active`, so one that moves meanwhile is seen at least once.
 */
async function heldInRedis(
  client: RedisClient,
  queue: string,
  ids: readonly string[],
): Promise<Map<string, Held>> {
  const key = (part: string): string => `${prefix}:${queue}:${part}`;
  const [delayed, prioritized, waiting, paused, active] = await Promise.all([
    client.zmscore(key('delayed'), ...ids),
    client.zmscore(key('prioritized'), ...ids),
    client.lrange(key('wait'), 0, -1),
    client.lrange(key('paused'), 0, -1),
    client.lrange(key('active'), 0, -1),
  ]);
  const known = new Map<string, Held>();
  const delivered = new Set(active);
  const listed = new Set([...waiting, ...paused]);
  for (const [index, id] of ids.entries()) {
    const scores = [delayed[index], prioritized[index]];
    if (listed.has(id) || scores.some((score) => typeof score === 'string')) known.set(id, 'queued');
    else if (delivered.has(id)) known.set(id, 'active');
  }
  return known;
}
