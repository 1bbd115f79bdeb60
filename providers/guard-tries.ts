// The quick tries of one call: two more within seconds, for failures that a moment may cure. A limit's Retry-After is not
// waited for here, because then everybody has to wait; and nobody goes on trying once the provider is known to be away.
// A result that was paid for is never thrown away, whatever happens to the job while it arrives.
import pRetry from 'p-retry';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../shared/errors.ts';
import { attemptOnce, stopped, type AttemptContext, type AttemptOptions, type Work } from './attempt.ts';

export interface TryTimings {
  /** First back-off, in ms; doubles, is randomised up to twofold. */
  retryBaseMs: number;
  retryCapMs: number;
  /** The longest Retry-After (in sum) that is waited for inside the attempt, in ms. */
  inlineBudgetMs: number;
}

export type Attempts = <T>(context: AttemptContext, options: AttemptOptions, work: Work<T>) => Promise<T>;

/** Milliseconds to wait before the next quick try, beyond the back-off; undefined: hand the failure to the job. */
function inlineWaitMs(failure: Failure, spentMs: number, timings: TryTimings): number | undefined {
  if (failure.code !== 'unavailable' && failure.code !== 'timeout') return undefined;
  const asked = failure.retryAfterMs ?? 0;
  return spentMs + asked > timings.inlineBudgetMs ? undefined : asked;
}

/** A signal that fires only while no attempt is under way: p-retry drops a result that arrives after its signal. */
function backOffOf(signal: AbortSignal, reason: () => Failure) {
  const controller = new AbortController();
  let waiting = false;
  const onStop = () => {
    if (waiting) controller.abort(reason());
  };
  signal.addEventListener('abort', onStop);
  return {
    signal: controller.signal,
    async during<T>(attempt: () => Promise<T>): Promise<T> {
      waiting = false;
      try {
        return await attempt();
      } catch (error) {
        waiting = true;
        throw error;
      }
    },
    clear: () => {
      signal.removeEventListener('abort', onStop);
    },
  };
}

/** `hopeless`: the provider is known to be away by now. */
export function quickTries(timings: TryTimings, hopeless: () => boolean): Attempts {
  return async (context, options, work) => {
    const { signal } = options.call;
    const backOff = backOffOf(signal, () => stopped(context));
    let spentMs = 0;
    const shouldRetry = async ({ error }: { error: Error }) => {
      const over = signal.aborted || hopeless() || !(error instanceof Failure);
      const waitMs = over ? undefined : inlineWaitMs(error, spentMs, timings);
      if (waitMs === undefined) return false;
      spentMs += waitMs;
      // p-retry's own back-off follows: together they are at least what was asked for. It also throws when stopped.
      const extraMs = Math.max(0, waitMs - timings.retryBaseMs);
      await wait(extraMs, undefined, { signal: backOff.signal }).catch(() => undefined);
      return true;
    };
    let last: unknown;
    const attempt = async () => {
      // Found out during the back-off: the last failure stands, and costs no further call.
      if (last !== undefined && hopeless()) throw last;
      return attemptOnce(context, options, work).catch((thrown: unknown) => {
        last = thrown;
        throw thrown;
      });
    };
    try {
      return await pRetry(() => backOff.during(attempt), {
        retries: 2,
        minTimeout: timings.retryBaseMs,
        maxTimeout: timings.retryCapMs,
        factor: 2,
        randomize: true,
        shouldRetry,
        signal: backOff.signal,
      });
    } finally {
      backOff.clear();
    }
  };
}
