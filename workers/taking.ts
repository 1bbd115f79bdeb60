// Beside an older build: takes parked jobs that this process can run straight from the ledger, because on their way through
// the engine the older one might take them again. Never more at once than the queue's own concurrency.
import type { Delivery, OnDelivery, Taker } from '../engine/types.ts';
import type { Db } from '../ledger/db.ts';
import type { Dispatch } from '../ledger/insert.ts';
import { takeParked } from '../ledger/parked.ts';

export interface TakingOptions {
  db: Db;
  /** Of `knowledge()`. */
  knows: readonly string[];
  queue: string;
  concurrency: number;
  everyMs: number;
}

/** Once told to take: looks at once and then every `everyMs`, until held, paused or closed; what it has taken runs on. */
export function takeFromLedger(options: TakingOptions, onDelivery: OnDelivery): Taker {
  const under = new Set<Promise<unknown>>();
  let looking = false;

  async function look(): Promise<void> {
    const limit = options.concurrency - under.size;
    if (limit <= 0 || looking) return;
    looking = true;
    // With the ledger away there is nothing to take; the next look tries again.
    const rows = await takeParked(options.db, { ...options, limit }).catch(() => []);
    looking = false;
    for (const row of rows) {
      const run = onDelivery(delivery(row)).finally(() => under.delete(run));
      under.add(run);
    }
  }

  let timer: NodeJS.Timeout | undefined;
  function take(): void {
    if (timer !== undefined) return;
    timer = setInterval(() => void look(), options.everyMs);
    void look();
  }
  function hold(): void {
    clearInterval(timer);
    timer = undefined;
  }
  const stop = (): Promise<void> => Promise.resolve(hold());
  return { pause: stop, close: stop, hold, take };
}

/** Bull Board does not see it, so there is nothing to show progress on. */
function delivery({ id, generation, attempt, kind, queue, tenant, summary }: Dispatch): Delivery {
  const data = { jobId: id, generation, attempt: String(attempt), tenant, summary };
  return { data, kind, queue, showProgress: () => undefined };
}
