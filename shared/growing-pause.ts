// How long to wait before something that ends again and again is started again: a short while after the first end, then
// longer and longer, so that it cannot fill a core.

export const longestPauseMs = 30_000;
/** After this long a start counts as good, and the next end begins with the short pause again. */
export const steadyMs = 60_000;

/** Twice as long after each end, given how long it had run before it. */
export function growingPause(firstPauseMs: number): (ranMs: number) => number {
  let pauseMs = firstPauseMs;
  return (ranMs) => {
    if (ranMs > steadyMs) pauseMs = firstPauseMs;
    const now = pauseMs;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    return now;
  };
}
