// What stands around every provider call: gate, limit, breaker, quick tries, deadline, in this order from the outside.
// "Not now" (a closed gate, a rate limit, no free place) is handed to the job, which keeps its attempt and waits outside.
import { setTimeout as wait } from 'node:timers/promises';
import type { Emit } from '../shared/events.ts';
import { Failure, type FailureCode } from '../shared/errors.ts';
import { attemptOnce, stopped, type AttemptContext, type AttemptOptions, type Work } from './attempt.ts';
import { behindBreaker, postponed, toFailure } from './failure.ts';
import { createBreaker, noBreaker } from './guard-breaker.ts';
import { fire, isAway, look, noPlaceMs, wonder, type Asked, type Parts as CallParts } from './guard-call.ts';
import { noGate, spread, type Entry, type Gate } from './guard-gate.ts';
import { createLimit } from './guard-limit.ts';
import { quickTries, type TryTimings } from './guard-tries.ts';

/** All in milliseconds; arguments so that tests need not wait. */
export interface Timings extends TryTimings {
  /** How long an open breaker waits before it lets one call through, where no gate decides that. */
  resetMs: number;
  windowMs: number;
  graceMs: number;
}

const usual: Timings = {
  retryBaseMs: 1_000,
  retryCapMs: 8_000,
  inlineBudgetMs: 8_000,
  resetMs: 30_000,
  windowMs: 600_000,
  graceMs: 1_000,
};

export interface GuardOptions {
  provider: string;
  /** What it is closed as, where the provider has several gates; default: as the provider. */
  gateName?: string;
  emit: Emit;
  now?: () => number;
  /** False: calls go through unprotected by the breaker; deadline and quick retry stay. */
  breaker: boolean;
  gate?: Gate;
  timings?: Partial<Timings>;
}

export interface Guard {
  /** Runs one provider call with everything around it. Throws nothing but a Failure. */
  run: <T>(operation: string, options: AttemptOptions, work: Work<T>) => Promise<T>;
  /** One attempt with its deadline, without breaker and retry: for readiness checks. */
  once: <T>(operation: string, options: AttemptOptions, work: Work<T>) => Promise<T>;
  /** Ends the breaker's timers; later calls fail. */
  close: () => void;
}

type Parts = CallParts & { timings: Timings };
type Admitted = Exclude<Entry, { kind: 'closed' }>;

/** How long a call waits for a place inside, in ms: it keeps a slot from jobs that need no provider. */
const placeMs = 500;
/** The longest that a timer can wait, in ms. */
const never = 2 ** 31 - 1;
/** How often a Retry-After is waited for inside one attempt. */
const inlineWaits = 2;

const codes: Readonly<Record<string, FailureCode>> = {
  auth: 'auth',
  quota_exhausted: 'quota_exhausted',
  rate_limited: 'rate_limited',
};

/** Waits a moment for a place; throws when the provider must not be called now. */
async function admit(
  { gate, limit, breaker, timings, now }: Parts,
  { context, options }: Asked<unknown>,
): Promise<Admitted> {
  const { signal } = options.call;
  const until = now() + placeMs;
  for (;;) {
    if (signal.aborted) throw stopped(context);
    const entry = await gate.enter(options.deadlineMs + timings.graceMs);
    if (entry.kind === 'closed') {
      const why = `its gate is closed (${entry.reason})`;
      const failure = toFailure(context, { code: codes[entry.reason] ?? 'unavailable', why });
      throw behindBreaker(failure, spread(entry.forMs, Math.random()));
    }
    if (entry.kind === 'probe') return entry;
    // What this breaker still holds against the provider may be out of date, for those under way too.
    if (gate.shared) breaker.follow(entry.terms.opening);
    if (limit.take(entry.terms)) return entry;
    const leftMs = until - now();
    if (leftMs <= 0) {
      const why = 'as many calls as are allowed are under way';
      throw postponed(toFailure(context, { code: 'rate_limited', why }), spread(noPlaceMs, Math.random()));
    }
    await limit.turn(leftMs, signal);
  }
}

async function pass<T>(parts: Parts, asked: Asked<T>): Promise<T> {
  const entry = await admit(parts, asked);
  if (entry.kind === 'probe') return look(parts, entry.probe, asked);
  let succeeded = false;
  try {
    if (asked.options.proves === false) return await wonder(parts, asked);
    const value = await fire(parts, asked);
    succeeded = true;
    return value;
  } finally {
    parts.limit.give(succeeded);
  }
}

/** Milliseconds to wait before the same call is made again; undefined: the job waits outside. */
function limitWaitMs(error: unknown, spentMs: number, { timings }: Parts): number | undefined {
  if (!(error instanceof Failure) || error.code !== 'rate_limited' || error.breakerOpen) return undefined;
  const asked = error.cause === undefined ? error.retryAfterMs : undefined; // ours are for the job
  if (asked === undefined || spentMs + asked > timings.inlineBudgetMs) return undefined;
  // A little later than asked, and not all at once: a call that comes a moment early is refused again.
  return asked + 20 + asked * 0.1 * Math.random();
}

function partsOf(options: GuardOptions, timings: Timings, now: () => number): Parts {
  const { gate = noGate, provider, gateName = provider, emit } = options;
  const judged = { sentAt: 0 };
  const breaker = !options.breaker
    ? noBreaker
    : createBreaker({
        ...timings,
        now,
        tell: (state) => emit('provider.breaker', { provider, gate: gateName, state }),
        ...(gate.shared && { resetMs: never }), // the gate's probe finds out, and no call of an hour ago
        onOpen: () => void gate.close({ reason: 'unavailable', ageMs: now() - judged.sentAt }),
      });
  const tries = quickTries(timings, () => isAway({ breaker, gate }));
  const { resetMs } = timings;
  return { gate, limit: createLimit(), breaker, timings, resetMs, now, tries, judged };
}

/** One guard per gate and process. */
export function createGuard(options: GuardOptions): Guard {
  const timings = { ...usual, ...options.timings };
  const now = options.now ?? Date.now;
  const parts = partsOf(options, timings, now);
  const contextOf = (operation: string): AttemptContext => {
    const { provider, gateName: gate = provider, emit } = options;
    return { provider, gate, operation, emit, now, graceMs: timings.graceMs };
  };
  return {
    async run(operation, attempt, work) {
      const asked = { context: contextOf(operation), options: attempt, work };
      let spentMs = 0;
      for (let waits = 0; ; waits += 1) {
        try {
          return await pass(parts, asked);
        } catch (error) {
          const waitMs = waits < inlineWaits ? limitWaitMs(error, spentMs, parts) : undefined;
          if (waitMs === undefined) throw error;
          spentMs += waitMs;
          await wait(waitMs, undefined, { signal: attempt.call.signal }).catch(() => undefined);
        }
      }
    },
    once: (operation, attempt, work) => attemptOnce(contextOf(operation), attempt, work),
    close: () => {
      parts.breaker.shutdown();
    },
  };
}
