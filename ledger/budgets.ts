// What a tenant may spend in a day (UTC) and what it has spent: a counter beside the charges, so that the question before
// every paid call reads two rows. The day is the database's; whoever asks may be a moment late, and calls under way are not
// counted yet: a budget is passed by at most the calls that were already running.
import type { Db, Statement, Tx } from './db.ts';

/** A budget that is used up. Money in estimated millionths of a dollar. */
export interface UsedUp {
  /** `*`: at all providers together. */
  provider: string;
  limitMicroUsd: number;
  spentMicroUsd: number;
  /** Milliseconds to midnight, UTC. */
  untilTomorrowMs: number;
}

export interface Question {
  tenant: string;
  provider: string;
  /** For tenants without a row of their own; undefined: no limit. */
  dayMicroUsd: number | undefined;
}

const today = `(clock_timestamp() AT TIME ZONE 'UTC')::date`;

// A tenant's own row goes before the row of all tenants, and both before the default.
const readUsedUp: Statement = {
  name: 'budget_used_up',
  text: `WITH limits AS (
      SELECT DISTINCT ON (provider) provider, day_micro_usd FROM (
        SELECT provider, day_micro_usd, (tenant = '*')::int AS rank FROM budget
          WHERE tenant IN ($1, '*') AND provider IN ('*', $2)
        UNION ALL SELECT '*', $3::bigint, 2 WHERE $3::bigint IS NOT NULL) AS all_limits
      ORDER BY provider, rank)
    SELECT l.provider, l.day_micro_usd::float8 AS "limitMicroUsd", coalesce(s.micro_usd, 0)::float8 AS "spentMicroUsd",
      extract(epoch FROM ((${today} + 1)::timestamp AT TIME ZONE 'UTC') - clock_timestamp())::float8 * 1000 AS "untilTomorrowMs"
    FROM limits l LEFT JOIN spend s ON s.tenant = $1 AND s.day = ${today} AND s.provider = l.provider
    WHERE coalesce(s.micro_usd, 0) >= l.day_micro_usd ORDER BY l.provider LIMIT 1`,
};

const tellOnceRow: Statement = {
  name: 'budget_tell_once',
  text: `INSERT INTO spend AS s (tenant, day, provider, micro_usd, alerted_at)
    VALUES ($1, ${today}, $2, 0, clock_timestamp())
    ON CONFLICT (tenant, day, provider) DO UPDATE SET alerted_at = excluded.alerted_at WHERE s.alerted_at IS NULL
    RETURNING 1`,
};

// Not from the charges: they are as many as the day's calls, these rows as many as its tenants, and counted up with them.
const readSpentToday: Statement = {
  name: 'spent_today',
  text: `SELECT provider, sum(micro_usd)::float8 AS "microUsd" FROM spend
    WHERE day = (statement_timestamp() AT TIME ZONE 'UTC')::date AND provider <> '*' GROUP BY provider`,
};

/** What all tenants together have spent today (UTC) at each provider, in estimated millionths of a dollar. */
export function spentToday(db: Db): Promise<{ provider: string; microUsd: number }[]> {
  return db.run(readSpentToday, []);
}

/** The budget that forbids a call at the provider now, when one does. */
export async function usedUpBudget(
  db: Db,
  { tenant, provider, dayMicroUsd }: Question,
): Promise<UsedUp | undefined> {
  const [row] = await db.run<UsedUp & Record<string, unknown>>(readUsedUp, [
    tenant,
    provider,
    dayMicroUsd ?? null,
  ]);
  return row;
}

/** True for exactly one caller a day, tenant and budget, in all processes. */
export async function tellUsedUp(db: Db, tenant: string, provider: string): Promise<boolean> {
  return (await db.run(tellOnceRow, [tenant, provider])).length > 0;
}

/**
 * Counts up what was charged. The last write of its transaction: the tenant's row is locked until the commit, and everybody
 * locks the rows in one order.
 */
export async function addSpend(
  tx: Tx,
  tenant: string,
  charged: readonly { provider: string; microUsd: number }[],
): Promise<void> {
  const sums = new Map<string, number>();
  for (const { provider, microUsd } of charged)
    for (const scope of ['*', provider]) sums.set(scope, (sums.get(scope) ?? 0) + microUsd);
  const rows = [...sums].filter(([, microUsd]) => microUsd > 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (rows.length === 0) return;
  const providers = rows.map(([provider]) => provider);
  const amounts = rows.map(([, microUsd]) => BigInt(microUsd));
  // The one row that all steps of a tenant write. Who stands still with it (a pulled cable) is ended by the server after seconds, and
  // then the next of his would have it: whoever waits for it gives up first, for he holds a job that others must be able to take over.
  await tx.$executeRaw`
    WITH hurried AS MATERIALIZED (SELECT set_config('lock_timeout', '2s', true))
    INSERT INTO spend AS s (tenant, day, provider, micro_usd)
    SELECT ${tenant}, (clock_timestamp() AT TIME ZONE 'UTC')::date, provider, micro_usd
    FROM unnest(${providers}::text[], ${amounts}::bigint[]) AS t(provider, micro_usd), hurried
    ON CONFLICT (tenant, day, provider) DO UPDATE SET micro_usd = s.micro_usd + excluded.micro_usd`;
}
