// Writing what must not be lost: an answer in our hands is worth more than the slot it holds, so a write that meets an
// absent ledger is tried again until it succeeds, is refused, or the process has to go.
import { mayBeSentAgain } from '../ledger/ledger-errors.ts';

const steadyPauseMs = 2_000;
const spread = 0.2;
/** Between two tries, in ms. */
export const longestPauseMs = steadyPauseMs * (1 + spread);

/** Repeats `write` while the ledger is away or takes it back (a deadlock); any other error, and an aborted `signal`, end it. */
export async function persist<T>(write: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await write();
    } catch (thrown) {
      if (signal.aborted || !mayBeSentAgain(thrown)) throw thrown;
      await pause(Math.min(100 * 2 ** attempt, steadyPauseMs) * (1 + Math.random() * spread), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
