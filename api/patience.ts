// How long one request waits for the ledger, all its questions together: each of them has a limit of its own, but several in a
// row would add up to more than a client waits. While the body arrives the time stands still: a slow client is not the ledger.
import { silentLedger } from '../ledger/ledger-errors.ts';

export interface Patience {
  /** What `work` gives, or `ledger_unavailable` when the time is over first; the work itself goes on, unheard. */
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  /** The time stands still until `work` has ended. */
  standStill: <T>(work: () => Promise<T>) => Promise<T>;
}

const patienceMs = 3_000;

export function createPatience(limitMs = patienceMs): Patience {
  let leftMs = limitMs;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  let giveUp: (() => void) | undefined;

  function go(): void {
    since = performance.now();
    timer = setTimeout(() => giveUp?.(), leftMs);
  }

  function stop(): void {
    clearTimeout(timer);
    leftMs -= performance.now() - since;
  }

  return {
    async limit(work) {
      const late = new Promise<never>((_, reject) => {
        giveUp = () => reject(silentLedger());
      });
      go();
      try {
        return await Promise.race([work(), late]);
      } finally {
        isOver = true;
        stop();
      }
    },
    async standStill(work) {
      stop();
      try {
        return await work();
      } finally {
        if (!isOver) go();
      }
    },
  };
}
