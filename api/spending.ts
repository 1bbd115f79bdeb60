// Refuses jobs that cost while the tenant's budget of the day is used up: they could only wait, and whoever sends them should
// know. What is already accepted waits in the ledger (workers/afford.ts). Asked of the ledger at most every two seconds a tenant.
import { Problem } from '../shared/errors.ts';
import { usedUpBudget, type UsedUp } from '../ledger/budgets.ts';
import type { Db } from '../ledger/db.ts';
import { acceptedAtMs } from '../ledger/idempotency.ts';

/** Throws `spend_limit_reached`. `key`: an Idempotency-Key that was accepted before keeps its answer. */
export type CheckSpending = (
  tenant: string,
  key: { endpoint: string; value: string } | undefined,
) => Promise<void>;

const rememberMs = 2_000;
const mostTenants = 10_000;

/** `dayMicroUsd`: millionths of a dollar a day for a tenant without a budget of its own; undefined: no limit. */
export function createCheckSpending(db: Db, dayMicroUsd: number | undefined): CheckSpending {
  const known = new Map<string, { until: number; used: Promise<UsedUp | undefined> }>();
  function ask(tenant: string): Promise<UsedUp | undefined> {
    const remembered = known.get(tenant);
    if (remembered !== undefined && remembered.until > performance.now()) return remembered.used;
    if (known.size >= mostTenants) known.clear();
    // A ledger that does not answer refuses the job itself, and says so better.
    const used = usedUpBudget(db, { tenant, provider: '*', dayMicroUsd }).catch(() => undefined);
    known.set(tenant, { until: performance.now() + rememberMs, used });
    return used;
  }
  return async (tenant, key) => {
    const used = await ask(tenant);
    if (used === undefined) return;
    if (key !== undefined && (await acceptedAtMs(db, { tenant, ...key })) !== undefined) return;
    throw new Problem(
      'spend_limit_reached',
      'the request failed: the budget of the day is used up; send it after 00:00 UTC, or have the budget raised',
      { retryAfterSeconds: Math.ceil(used.untilTomorrowMs / 1_000) },
    );
  };
}
