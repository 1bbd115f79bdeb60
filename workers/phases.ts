// How a work process leaves: each phase has its limit, so nothing can hold the process.
import type { Taker } from '../engine/types.ts';
import type { Running } from './running.ts';

export interface Stoppable {
  takers: readonly Taker[];
  running: Running;
  /** Ends the waits for an absent ledger. */
  leaving: AbortController;
}

const reason = 'the process is stopping';
/** After the grace: for handlers that obey, and for the host to hand back those that do not. */
const handBackMs = 900;
/** A taker whose engine is away never closes. */
const closeMs = 400;

/**
 * Take nothing more; let jobs finish; let steps finish but begin none; abort what is left at the end of the grace, so that it
 * is handed back with its attempt; leave in any case. Takes at most the grace and 1.3 s, whatever hangs.
 */
export async function stopRunning({ takers, running, leaving }: Stoppable, graceMs: number): Promise<void> {
  const end = performance.now() + graceMs;
  await within(Math.min(1_000, graceMs / 3), Promise.allSettled(takers.map((taker) => taker.pause())));
  await within(end - graceMs / 2 - performance.now(), running.empty());
  running.close(reason);
  await within(end - performance.now(), running.empty());
  running.interrupt(reason);
  await within(handBackMs, running.empty());
  leaving.abort();
  await within(closeMs, Promise.allSettled(takers.map((taker) => taker.close(running.size > 0))));
}

/** What `work` resolves with, or undefined when it takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
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
