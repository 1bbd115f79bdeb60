// How a work process leaves: each phase has its limit, so nothing can hold the process.
import type { Taker } from '../engine/types.ts';
import type { Running } from './running.ts';

export interface Stoppable {
  takers: readonly Taker[];
  running: Running;
  /** Ends the waits for an absent ledger. */
  leaving: AbortController;
}

/** Take nothing more; let jobs finish; abort what is left so that it is handed back with its attempt; leave in any case. */
export async function stopRunning({ takers, running, leaving }: Stoppable, graceMs: number): Promise<void> {
  await within(1_000, Promise.allSettled(takers.map((taker) => taker.pause())));
  await within(graceMs * 0.6, running.empty());
  running.interrupt('the process is stopping');
  await within(graceMs * 0.3, running.empty());
  leaving.abort();
  await within(2_000, Promise.allSettled(takers.map((taker) => taker.close(running.size > 0))));
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
