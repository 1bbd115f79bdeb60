// Keeps an answer for a moment, so that many askers cost one question. A failure is not kept.

/**
 * `ask`, and its answer for `forMs` milliseconds; callers meanwhile share one promise. `share`: of the time, what is spent asking
 * at most: an answer that took long is kept for longer.
 */
export function remember<T>(forMs: number, ask: () => Promise<T>, share = 1): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let until = 0;

  async function put(): Promise<T> {
    until = Infinity;
    const begunAt = performance.now();
    try {
      return await ask();
    } finally {
      const endedAt = performance.now();
      until = endedAt + Math.max(forMs, (endedAt - begunAt) * (1 / share - 1));
    }
  }

  return () => {
    if (answer !== undefined && performance.now() < until) return answer;
    const asked = put();
    answer = asked;
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}
