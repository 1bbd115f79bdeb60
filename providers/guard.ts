// What stands around every provider call: gate, breaker, quick retry, deadline, in this order from the outside.
// The breaker counts a call only after its quick tries; "not now" (rate limits, an open breaker) is handed to the job.
// A result that was paid for is never thrown away, whatever happens to the job while it arrives.
import CircuitBreaker from 'opossum';
import pRetry from 'p-retry';
import { setTimeout as wait } from 'node:timers/promises';
import type { Emit } from '../shared/events.ts';
import { Failure, type FailureCode } from '../shared/errors.ts';
import { attemptOnce, stopped, type AttemptContext, type AttemptOptions, type Work } from './attempt.ts';
import { behindBreaker, toFailure } from './failure.ts';

/** All in milliseconds; arguments so that tests need not wait. */
export interface Timings {
  /** First back-off; doubles, is randomised up to twofold. */
  retryBaseMs: number;
  retryCapMs: number;
  /** The longest Retry-After (in sum) that is waited for inside the attempt. */
  inlineBudgetMs: number;
  /** How long an open breaker waits before it lets one call through. */
  resetMs: number;
  /** Must hold several of the longest calls with their retries, or failures leave the window before they are counted. */
  windowMs: number;
  graceMs: number;
  /** How long the gate is closed after a refused key or an exhausted quota. */
  gateMs: number;
}

const usual: Timings = {
  retryBaseMs: 1_000,
  retryCapMs: 8_000,
  inlineBudgetMs: 8_000,
  resetMs: 30_000,
  windowMs: 600_000,
  graceMs: 1_000,
  gateMs: 300_000,
};

/** The fact that all processes share: until when nobody should call this provider. It is kept elsewhere. */
export interface Gate {
  /** Milliseconds until calls are welcome again; 0 when they are. */
  closedForMs: () => number | Promise<number>;
  /** Told when this process found a reason for all of them to stop. */
  close: (reason: FailureCode, forMs: number) => void;
}

export interface GuardOptions {
  provider: string;
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

type Attempts = <T>(context: AttemptContext, options: AttemptOptions, work: Work<T>) => Promise<T>;

/** The provider is sick. Everything else says something about the call, the key or us. */
const outage: ReadonlySet<FailureCode> = new Set(['unavailable', 'timeout', 'unknown_outcome']);
/** The provider looked at the call and refused it: it is up. */
const answered: ReadonlySet<FailureCode> = new Set(['bad_input', 'content_blocked', 'bad_output']);

/** Milliseconds to wait before the next quick try, beyond the back-off; undefined: hand the failure to the job. */
function inlineWaitMs(failure: Failure, spentMs: number, timings: Timings): number | undefined {
  const asked = failure.retryAfterMs;
  if (asked !== undefined && spentMs + asked > timings.inlineBudgetMs) return undefined;
  if (failure.code === 'rate_limited') return asked;
  return failure.code === 'unavailable' || failure.code === 'timeout' ? (asked ?? 0) : undefined;
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

function quickTries(timings: Timings): Attempts {
  return async (context, options, work) => {
    const { signal } = options.call;
    const backOff = backOffOf(signal, () => stopped(context));
    let spentMs = 0;
    const shouldRetry = async ({ error }: { error: Error }) => {
      const waitMs =
        signal.aborted || !(error instanceof Failure) ? undefined : inlineWaitMs(error, spentMs, timings);
      if (waitMs === undefined) return false;
      spentMs += waitMs;
      // p-retry's own back-off follows: together they are at least what was asked for. It also throws when stopped.
      const extraMs = Math.max(0, waitMs - timings.retryBaseMs);
      await wait(extraMs, undefined, { signal: backOff.signal }).catch(() => undefined);
      return true;
    };
    try {
      return await pRetry(() => backOff.during(() => attemptOnce(context, options, work)), {
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

type Task = () => Promise<unknown>;
type Breaker = CircuitBreaker<[Task]>;

/** As many outages in a row open the breaker, however many calls went well before: a busy window hides a sudden end. */
const outagesInARow = 4;

function watchRow(breaker: Breaker): void {
  let row = 0;
  breaker.on('failure', () => {
    row += 1;
    if (row >= outagesInARow) breaker.open();
  });
  // opossum calls a filtered error a success; a rate limit or a stop proves nothing about the provider.
  breaker.on('success', (result) => {
    if (!(result instanceof Failure) || answered.has(result.code)) row = 0;
  });
}

function openBreaker(options: GuardOptions, timings: Timings, now: () => number) {
  let openedAt = 0;
  const breaker: Breaker = new CircuitBreaker((task: Task) => task(), {
    // opossum's own timeout leaves the call running (and billed); its capacity counts a full house as an outage.
    timeout: false,
    resetTimeout: timings.resetMs,
    rollingCountTimeout: timings.windowMs,
    rollingCountBuckets: 10,
    volumeThreshold: outagesInARow,
    errorThresholdPercentage: 50,
    enableSnapshots: false,
    // True counts as a success and closes a half-open breaker, so what is filtered depends on the state.
    errorFilter: (error: Failure) => (breaker.halfOpen ? answered.has(error.code) : !outage.has(error.code)),
  });
  watchRow(breaker);
  const tell = (state: 'closed' | 'open' | 'half_open') => {
    options.emit('provider.breaker', { provider: options.provider, state });
  };
  breaker.on('open', () => {
    openedAt = now();
    options.gate?.close('unavailable', timings.resetMs);
    tell('open');
  });
  breaker.on('halfOpen', () => {
    tell('half_open');
  });
  breaker.on('close', () => {
    tell('closed');
  });
  /** At least a second: while the one probe is under way nobody knows how long it will take. */
  const closedForMs = () => Math.max(1_000, openedAt + timings.resetMs - now());
  return { breaker, closedForMs };
}

type Opened = ReturnType<typeof openBreaker>;

async function fire<T>(opened: Opened, context: AttemptContext, task: () => Promise<T>): Promise<T> {
  const { breaker, closedForMs } = opened;
  try {
    return (await breaker.fire(task)) as T;
  } catch (error) {
    if (!(error instanceof Failure)) {
      const why = breaker.isShutdown ? 'this process is stopping' : 'the breaker is open';
      throw behindBreaker(toFailure(context, { code: 'unavailable', why }), closedForMs());
    }
    // The call that opened the breaker is as free as those after it.
    const free = breaker.opened && (error.code === 'unavailable' || error.code === 'timeout');
    throw free ? behindBreaker(error, closedForMs()) : error;
  }
}

async function passGate(gate: Gate | undefined, context: AttemptContext): Promise<void> {
  const closedForMs = (await gate?.closedForMs()) ?? 0;
  if (closedForMs <= 0) return;
  throw behindBreaker(toFailure(context, { code: 'unavailable', why: 'its gate is closed' }), closedForMs);
}

/** One guard per provider and process. */
export function createGuard(options: GuardOptions): Guard {
  const timings = { ...usual, ...options.timings };
  const now = options.now ?? Date.now;
  const opened = options.breaker ? openBreaker(options, timings, now) : undefined;
  const tries = quickTries(timings);
  const contextOf = (operation: string): AttemptContext => {
    const { provider, emit } = options;
    return { provider, operation, emit, now, graceMs: timings.graceMs };
  };
  return {
    async run(operation, attempt, work) {
      const context = contextOf(operation);
      if (attempt.call.signal.aborted) throw stopped(context);
      await passGate(options.gate, context);
      const task = () => tries(context, attempt, work);
      try {
        return await (opened === undefined ? task() : fire(opened, context, task));
      } catch (error) {
        const code = error instanceof Failure ? error.code : 'bug';
        if (code === 'auth' || code === 'quota_exhausted') options.gate?.close(code, timings.gateMs);
        throw error;
      }
    },
    once: (operation, attempt, work) => attemptOnce(contextOf(operation), attempt, work),
    close: () => {
      opened?.breaker.shutdown();
    },
  };
}
