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
  everyMs: number;
}

export function rescuer(options: RescuerOptions): Duty {
  return {
    name: 'rescuer',
    everyMs: options.everyMs,
    async run() {
      const { rescued, dispatches } = await rescue(options.db);
      options.onCommitted(dispatches);
      return rescued + (await redispatchForgotten(options));
    },
  };
}

/** Jobs stamped as dispatched, due for half a minute, that the engine does not know: they get a new generation. */
async function redispatchForgotten({ db, broker }: RescuerOptions): Promise<number> {
  if (!broker.ready) return 0;
  const byQueue = new Map<string, StaleDispatch[]>();
  for (const row of await staleDispatches(db))
    byQueue.set(row.queue, [...(byQueue.get(row.queue) ?? []), row]);
  let count = 0;
  for (const [queue, rows] of byQueue) {
    const known = await broker.has(
      queue,
      rows.map((row) => engineId({ jobId: row.id, generation: row.generation })),
    );
    const forgotten = rows.filter(
      (row) => !known.has(engineId({ jobId: row.id, generation: row.generation })),
    );
    await redispatch(db, forgotten);
    count += forgotten.length;
  }
  return count;
}
