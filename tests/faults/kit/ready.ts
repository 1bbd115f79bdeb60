// When a process called itself ready, from outside: its /readyz asked ten times a second, so that a row can say how long it
// took to turn red and green (I10).
import { readiness } from './census.ts';

export interface ReadyRecord {
  /** Milliseconds from `since` (Date.now()) to the first answer that was ready, or was not; Infinity when there was none. */
  turned: (to: 'red' | 'green', since: number) => number;
  /** Bodies of the answers that were not ready, newest last. */
  reasons: () => readonly string[];
  stop: () => void;
}

/** `url`: of an api its address, of a work process its probes. `question`: how it is asked. */
export function recordReadiness(
  url: string | (() => string),
  path = '/readyz',
  question: typeof readiness = readiness,
): ReadyRecord {
  const seen: { at: number; ready: boolean; body: string }[] = [];
  let asking = false;

  async function ask(): Promise<void> {
    asking = true;
    const { status, body } = await question(typeof url === 'string' ? url : url(), path);
    seen.push({ at: Date.now(), ready: status === 200, body });
    asking = false;
  }

  const timer = setInterval(() => (asking ? undefined : void ask()), 100);
  return {
    turned(to, since) {
      const found = seen.find(({ at, ready }) => at >= since && ready === (to === 'green'));
      return found === undefined ? Infinity : found.at - since;
    },
    reasons: () => seen.flatMap(({ ready, body }) => (ready ? [] : body)),
    stop: () => clearInterval(timer),
  };
}
