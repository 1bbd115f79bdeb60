// Waking those who wait for a provider: an operator has opened its gate, and what sleeps behind it was told to sleep for up to an hour.
import type { ProviderName } from '../shared/call.ts';
import type { Db } from './db.ts';

/** Jobs in one statement. */
const pageSize = 1_000;

// A new generation, because the engine holds the delivery of the old one for the old time; the sweep carries it. All that was said of
// a provider's call begins with its name, and a budget that is used up says another sentence. Spread over half a minute.
const wakePage = {
  name: 'provider_wake',
  text: `WITH asleep AS (
      SELECT id FROM job WHERE state = 'snoozed' AND run_at > clock_timestamp() + interval '30 s' AND error_message LIKE $1 || ' % failed:%'
      LIMIT ${pageSize} FOR UPDATE SKIP LOCKED)
    UPDATE job j SET run_at = clock_timestamp() + random() * interval '30 s', generation = j.generation + 1, dispatched_at = NULL,
      claimed_until = clock_timestamp()
    FROM asleep a WHERE j.id = a.id RETURNING j.id`,
};

/** Jobs that wait for the provider come back within half a minute and a sweep. Returns how many. */
export async function wakeSleepers(db: Db, provider: ProviderName): Promise<number> {
  let woken = 0;
  for (;;) {
    const rows = await db.run(wakePage, [provider]);
    woken += rows.length;
    if (rows.length < pageSize) return woken;
  }
}
