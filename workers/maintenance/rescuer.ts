// Gives dead workers' jobs back, and jobs that the engine has forgotten. The only owner of recovery.
import { engineId, type Broker } from '../../engine/types.ts';
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { redispatch, rescue, staleDispatches, type StaleDispatch } from '../../ledger/leases.ts';
import type { Duty } from './duty.ts';

export interface RescuerOptions {
  db: Db;
  broker: Broker;
  onCommitted: (rows: readonly Dispatch[]) => void;
  leaseMs: number;
  everyMs: number;
}

/** Rows that staleDispatches gives at most. */
const pageSize = 500;
const first = '00000000-0000-0000-0000-000000000000';

export function rescuer(options: RescuerOptions): Duty {
  let after = first; // a deep backlog is looked through page by page, so that nothing hides behind its oldest jobs
  return {
    name: 'rescuer',
    everyMs: options.everyMs,
    async run() {
      const { rescued, dispatches } = await rescue(options.db);
      options.onCommitted(dispatches);
      if (!options.broker.ready) return rescued;
      let total = rescued;
      for (let forgotten = true; forgotten;) {
        const stale = await staleDispatches(options.db, after, options.leaseMs);
        const count = await redispatchForgotten(options, stale);
        after = stale.length < pageSize ? first : (stale.at(-1)?.id ?? first);
        total += count;
        forgotten = count === pageSize; // an engine that forgot a whole page has lost everything: go on at once
      }
      return total;
    },
  };
}

/** Of jobs that should have begun by now, those that do not wait in the engine get a new generation. */
async function redispatchForgotten(
  { db, broker }: RescuerOptions,
  stale: readonly StaleDispatch[],
): Promise<number> {
  const byQueue = new Map<string, StaleDispatch[]>();
  for (const row of stale) byQueue.set(row.queue, [...(byQueue.get(row.queue) ?? []), row]);
  let count = 0;
  for (const [queue, rows] of byQueue) {
    const queued = await broker.queued(queue, rows.map(idOf));
    const forgotten = rows.filter((row) => !queued.has(idOf(row)));
    await redispatch(db, forgotten);
    count += forgotten.length;
  }
  return count;
}

function idOf({ id, generation }: StaleDispatch): string {
  return engineId({ jobId: id, generation });
}
