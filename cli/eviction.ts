// A Redis that throws keys away when memory is short throws jobs away, without an error. The ledger would notice, again and
// again; so a work process in production does not run on one, and elsewhere it says so once.
import { setTimeout as delay } from 'node:timers/promises';
import { readRedisFacts } from '../engine/pressure.ts';
import type { Engine } from '../engine/connect.ts';
import { CliError } from './exit.ts';
import type { Part } from './process.ts';

/** Redis answers at once or not at all: one that comes later is judged when it comes. */
const patienceMs = 3_000;

/** Rejects with a CliError (exit code 2) when Redis answers now and may evict; a process that is under way is stopped. */
export async function refuseEviction(
  { config, emit, lifecycle }: Pick<Part, 'config' | 'emit' | 'lifecycle'>,
  engine: Pick<Engine, 'ready'>,
): Promise<void> {
  if (config.REDIS_URL === undefined) return;
  const judged = judge(engine);
  if (config.NODE_ENV !== 'production') {
    void judged.then((message) => message && emit('notice', { level: 'warn', message }));
    return;
  }
  const late = new AbortController();
  const message = await Promise.race([judged, delay(patienceMs, undefined, late)]);
  late.abort();
  if (message !== undefined) throw new CliError('wrongUse', message);
  void stopLater({ emit, lifecycle }, judged);
}

async function stopLater(
  { emit, lifecycle }: Pick<Part, 'emit' | 'lifecycle'>,
  judged: Promise<string | undefined>,
): Promise<void> {
  const message = await judged;
  if (message === undefined || lifecycle.stopping) return;
  emit('notice', { level: 'error', message });
  await lifecycle.stop('Redis may throw jobs away', 2);
}

/** What is wrong, or nothing; also when Redis does not tell, as some hosted ones. */
async function judge({ ready }: Pick<Engine, 'ready'>): Promise<string | undefined> {
  const facts = await ready.then((link) => readRedisFacts(link.store)).catch(() => undefined);
  if (facts === undefined || ['', 'noeviction'].includes(facts.evictionPolicy)) return undefined;
  const what = `Redis may throw jobs away: its maxmemory-policy is ${facts.evictionPolicy}`;
  return `${what}; set it to noeviction, and give caches a Redis of their own`;
}
