// How many calls of this process may be under way at once. Without a reason there is no limit; after an opening it begins
// with one and grows by one with each success, so it doubles a round; a vendor's own limit is never passed.
import type { Terms } from './guard-gate.ts';

export interface Limit {
  /** Takes a place, if one is free on these terms. */
  take: (terms: Terms) => boolean;
  /** Gives the place back, and tells how the call went. */
  give: (succeeded: boolean) => void;
  /** Resolves at the next change, or after `ms`, or with the signal. */
  turn: (ms: number, signal: AbortSignal) => Promise<void>;
  /**
   * Too many at once, or in a minute, and nobody said how many are right: half of those under way. Gives how long the refused stay
   * away, in ms: twice as long each time, until one succeeds.
   */
  refused: (nowMs: number) => number;
}

/** First and longest time that the refused stay away, in ms. */
const pauses = { first: 2_000, last: 60_000 };
/** Calls at once above which a ramp is over. */
const fullAt = 64;

export function createLimit(): Limit {
  const waiting = new Set<() => void>();
  let busy = 0;
  let allowed = Infinity;
  let seen: number | undefined;
  let pause = { ms: 0, until: 0 };

  return {
    take({ opening, maxCalls }) {
      if (opening !== undefined && opening !== seen) allowed = 1;
      seen = opening ?? seen;
      if (busy >= Math.min(allowed, maxCalls ?? Infinity)) return false;
      busy += 1;
      return true;
    },
    give(succeeded) {
      busy -= 1;
      if (succeeded) pause = { ms: 0, until: 0 };
      if (succeeded) allowed = allowed + 1 >= fullAt ? Infinity : allowed + 1;
      for (const resolve of waiting) resolve();
    },
    turn: (ms, signal) => nextTurn(waiting, ms, signal),
    refused(nowMs) {
      allowed = Math.max(1, Math.floor(busy / 2));
      // Those that were under way together are refused together, and that is one refusal.
      if (nowMs < pause.until) return pause.ms;
      const ms = Math.min(Math.max(pause.ms * 2, pauses.first), pauses.last);
      pause = { ms, until: nowMs + ms };
      return ms;
    },
  };
}

function nextTurn(waiting: Set<() => void>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      waiting.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    waiting.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
