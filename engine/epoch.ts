// The canary in the engine: an epoch, which only a write of ours puts there, and a count that every look raises. An engine
// that was flushed shows none, another one shows a foreign one, an old copy shows a lower count. No error tells any of these.
import type { Pool } from 'pg';
import type { Store } from './connect.ts';
import { prefix, type Epoch } from './types.ts';

type RedisClient = Extract<Store, { kind: 'redis' }>['client'];

/** Beside BullMQ's own keys and in their slot, so that whatever takes those takes this too. */
const key = `${prefix}:epoch`;

/** One look is one script: in a cluster it runs where the key is, so the run id is that of the server with the jobs. */
const script = `
  local server = redis.pcall('INFO', 'server')
  if type(server) ~= 'string' then server = '' end
  if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'count', 0) end
  local epoch = redis.call('HGET', KEYS[1], 'epoch')
  if not epoch then return {} end
  return { epoch, redis.call('HINCRBY', KEYS[1], 'count', 1), server }`;

/** In the table where BullMQ keeps its own settings: it has rows by queue, and no queue of ours has this name. */
const place = `queue = '${prefix}' AND field = 'epoch'`;

/** Raises the count and gives the mark; undefined when the engine has none. */
export function readEpoch(store: Store): Promise<Epoch | undefined> {
  return store.kind === 'redis' ? runScript(store.client, '') : readRow(store.pool);
}

/** Writes a mark of this epoch, a UUID, with a count that begins anew. */
export async function writeEpoch(store: Store, epoch: string): Promise<Epoch> {
  if (store.kind === 'postgres') await writeRow(store.pool, epoch);
  const written = store.kind === 'redis' ? await runScript(store.client, epoch) : await readRow(store.pool);
  if (written === undefined) throw new Error('engine failed: its epoch is gone right after it was written');
  return written;
}

async function runScript(client: RedisClient, epoch: string): Promise<Epoch | undefined> {
  const answer = (await client.eval(script, 1, key, epoch)) as [] | [string, number, string];
  const [found, count, server] = answer;
  if (found === undefined || count === undefined) return undefined;
  return { epoch: found, count, instance: /^run_id:(\w+)/m.exec(server ?? '')?.[1] ?? '' };
}

async function readRow(pool: Pool): Promise<Epoch | undefined> {
  const { rows } = await pool.query<{ epoch: string; count: number }>({
    name: 'engine_epoch_read',
    text: `UPDATE meta SET value = split_part(value, ' ', 1) || ' ' || (split_part(value, ' ', 2)::bigint + 1) WHERE ${place}
      RETURNING split_part(value, ' ', 1) AS epoch, split_part(value, ' ', 2)::float8 AS count`,
  });
  const [row] = rows;
  // PostgreSQL loses nothing that it committed in a restart, so its run says nothing.
  return row === undefined ? undefined : { ...row, instance: '' };
}

async function writeRow(pool: Pool, epoch: string): Promise<void> {
  await pool.query({
    name: 'engine_epoch_write',
    text: `INSERT INTO meta (queue, field, value) VALUES ('${prefix}', 'epoch', $1 || ' 0')
      ON CONFLICT (queue, field) DO UPDATE SET value = excluded.value`,
    values: [epoch],
  });
}
