// A handler's error becomes an outcome: the table code -> retrying | snoozed | dead. Pure.
// "Not now" is not a failure: an open breaker or a 429 puts the job back and keeps its attempt.
import { Failure, toError, type FailureCode } from '../shared/errors.ts';
import { sanitiseText } from '../shared/text.ts';
import type { Verdict } from '../ledger/finish.ts';
import { isAbsence } from '../ledger/ledger-errors.ts';
import { believed } from '../providers/failure.ts';
import { backoffMs } from '../queues/backoff.ts';
import type { RetryPolicy } from '../queues/define.ts';

type Fate = 'retry' | 'snooze' | 'die';

/** What each code means for the job. `unavailable` snoozes when the provider's gate or breaker is open. */
const fates: Readonly<Record<FailureCode, Fate>> = {
  unavailable: 'retry',
  timeout: 'retry',
  rate_limited: 'snooze',
  quota_exhausted: 'snooze',
  auth: 'snooze',
  bad_input: 'die',
  content_blocked: 'die',
  bad_output: 'retry',
  unknown_outcome: 'retry',
  cancelled: 'die',
  bug: 'retry',
};

/** How long a snooze lasts when nobody said how long, in ms. */
const snoozeMs: Partial<Record<FailureCode, number>> = {
  quota_exhausted: 900_000,
  auth: 300_000,
  rate_limited: 30_000,
};

/**
 * A mail server that puts one mail off (450, 451) does not say for how long, and may do so all day: it is asked again after twice as
 * long with each start that cost no attempt, whatever its reason, and after a quarter of an hour at most.
 */
const mostDoublings = 5;

/** Calls of one job without an answer that cost no attempt: half an hour of outage, when it is the only job there is. */
export const freeUnanswered = 10;

/** A read of a handler met an absent ledger; the outcome is written when it is back, so it is back. */
const shortPause = { breakerOpen: true, retryAfterMs: 1_000 } as const;

export interface OutcomeContext {
  retry: RetryPolicy;
  /** Failures before this attempt. */
  failures: number;
  /** Starts before this attempt that cost none. */
  givenBack: number;
  /** The provider's gate is open until then: milliseconds from now, when it is. */
  gateMs?: number;
  /** How often a call of the job was left without an answer and cost no attempt; known of `unknown_outcome` only. */
  unanswered?: number;
  random: number;
}

export function verdictOf(thrown: unknown, context: OutcomeContext): Verdict {
  const failure = toFailure(thrown);
  const message = sanitiseText(failure.message, 4_000);
  const notNow = fates[failure.code] === 'snooze' || isOutage(failure, context);
  if (notNow)
    return { outcome: 'snoozed', code: failure.code, message, retryInMs: snoozeFor(failure, context) };
  const used = context.failures + 1;
  const spent = fates[failure.code] === 'die' || used >= context.retry.attempts;
  const retryInMs = spent
    ? null
    : Math.max(backoffMs(context.retry, used, context.random), believed(failure.retryAfterMs) ?? 0);
  return { outcome: 'failed', code: failure.code, message, stack: stackOf(thrown), retryInMs };
}

/**
 * Whether the provider is known to be away, so that the failure costs no attempt. A call that was left without an answer is free
 * too, but not without end: each one may have been paid for, and a payload that is too hard for the provider looks the same.
 */
function isOutage(
  { code, breakerOpen }: Failure,
  { gateMs, unanswered = freeUnanswered }: OutcomeContext,
): boolean {
  if (!breakerOpen && gateMs === undefined) return false;
  if (code === 'unknown_outcome') return unanswered < freeUnanswered;
  return code === 'unavailable' || code === 'timeout';
}

function snoozeFor(failure: Failure, context: OutcomeContext): number {
  const asked = believed(failure.retryAfterMs) ?? believed(context.gateMs);
  const wait = asked ?? unasked(failure, context.givenBack);
  return Math.round(Math.max(wait, 250) * (1 + 0.1 * context.random));
}

function unasked({ code, provider }: Failure, givenBack: number): number {
  const isMail = code === 'rate_limited' && provider === 'smtp';
  const doublings = isMail ? Math.min(Math.max(givenBack, 0), mostDoublings) : 0;
  return (snoozeMs[code] ?? 10_000) * 2 ** doublings;
}

/** Anything that is not a Failure is a bug of ours, whatever was thrown; but for a ledger that is away, which costs no attempt. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const { message } = toError(thrown);
  if (!isAbsence(thrown)) return new Failure('bug', message, { cause: thrown });
  return new Failure('unavailable', `the ledger did not answer: ${message}`, {
    cause: thrown,
    ...shortPause,
  });
}

function stackOf(thrown: unknown): string | null {
  const { stack } = toError(thrown);
  return typeof stack !== 'string' ? null : sanitiseText(stack, 8_000);
}
