// The question before every call that costs: may this tenant still spend today? Asked as late as possible, so that answers
// that are remembered, or found with the vendor, are free. "No" is no failure of the job: it waits, and keeps its attempt.
import type { Charge } from '../shared/call.ts';
import { Failure } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { tellUsedUp, usedUpBudget, type UsedUp } from '../ledger/budgets.ts';
import type { Db } from '../ledger/db.ts';
import { persist } from './persist.ts';

export interface Wallet {
  db: Db;
  emit: Emit;
  tenant: string;
  signal: AbortSignal;
  /** Millionths of a dollar a day for a tenant without a row in table `budget`; undefined: no limit. */
  dayMicroUsd: number | undefined;
}

/** A budget may be raised before midnight: so often it is asked again. */
const askAgainMs = 900_000;

/** Resolves when the call may be made; otherwise a `quota_exhausted` Failure that names the budget, not the provider. */
export async function afford(wallet: Wallet, provider: Charge['provider']): Promise<void> {
  const { db, emit, tenant, signal, dayMicroUsd } = wallet;
  const used = await persist(() => usedUpBudget(db, { tenant, provider, dayMicroUsd }), signal);
  if (used === undefined) return;
  const { limitMicroUsd, spentMicroUsd } = used;
  // Whether it could be told is nothing that a job should wait for.
  if (await tellUsedUp(db, tenant, used.provider).catch(() => false))
    emit('budget.exhausted', { tenant, provider: used.provider, limitMicroUsd, spentMicroUsd });
  throw new Failure('quota_exhausted', messageOf(provider, tenant, used), {
    retryAfterMs: Math.min(used.untilTomorrowMs, askAgainMs),
  });
}

function messageOf(provider: string, tenant: string, { limitMicroUsd, provider: scope }: UsedUp): string {
  const limit = `${(limitMicroUsd / 1_000_000).toFixed(2)} USD a day`;
  const whose = scope === '*' ? 'for all providers' : `for ${scope}`;
  return `${provider} was not called: the budget of tenant ${tenant} ${whose} (${limit}) is used up; raise it, or it goes on at 00:00 UTC`;
}
