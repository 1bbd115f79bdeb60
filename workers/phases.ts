// How a work process is ready and how it leaves: each phase has its limit, so nothing can hold the process.
import type { Broker, Consumer } from '../engine/types.ts';
import type { Db } from '../ledger/db.ts';
import type { Running } from './running.ts';

export interface Stoppable {
  consumers: readonly Consumer[];
  running: Running;
  /** Ends the waits for an absent ledger. */
  leaving: AbortController;
}

/** Take nothing more; let jobs finish; abort what is left so that it is handed back with its attempt; leave in any case. */
export async function stopRunning(
  { consumers, running, leaving }: Stoppable,
  graceMs: number,
): Promise<void> {
  await within(1_000, Promise.allSettled(consumers.map((consumer) => consumer.pause())));
  await within(graceMs * 0.6, running.empty());
  running.interrupt('the process is stopping');
  await within(graceMs * 0.3, running.empty());
  leaving.abort();
  await within(2_000, Promise.allSettled(consumers.map((consumer) => consumer.close(running.size > 0))));
}

/** Both must answer within 2 s on the connections in use. */
export async function readiness(db: Db, broker: Broker): Promise<{ ledger: boolean; engine: boolean }> {
  const [ledger, engine] = await Promise.all([answers(db.ping()), answers(broker.ping())]);
  return { ledger, engine };
}

async function answers(work: Promise<unknown>): Promise<boolean> {
  return (
    (await within(
      2_000,
      work.then(
        () => true,
        () => false,
      ),
    )) === true
  );
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
