// Keeps an answer for a moment, so that many askers cost one question. A failure is not kept.

/** `ask`, at most once in `forMs` milliseconds; callers in the same moment share one promise. */
export function remember<T>(forMs: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (answer !== undefined && performance.now() < until) return answer;
    const asked = ask();
    answer = asked;
    until = performance.now() + forMs;
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}
