// The wait before the next attempt, from the policy and the attempts used up. Pure; randomness is an argument.
import type { RetryPolicy } from './define.ts';

const capMs = 3_600_000;

/**
 * Milliseconds to wait after `failed` failures (1 = the first). Exponential doubles each time; both get up to 20 % of
 * jitter on top, so that jobs that failed together do not come back together. At most an hour, plus the jitter.
 */
export function backoffMs(policy: RetryPolicy, failed: number, random: number): number {
  const base = policy.backoff === 'fixed' ? policy.delayMs : policy.delayMs * 2 ** Math.min(failed - 1, 20);
  const wait = Math.min(base, capMs);
  return Math.round(wait * (1 + 0.2 * random));
}
