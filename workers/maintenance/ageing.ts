// No job starves: one that has waited for half of the bound gets in line with the high ones, as if it were one that is due now.
import { engineId, type Broker } from '../../engine/types.ts';
import { raiseAged } from '../../ledger/ageing.ts';
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import type { Duty } from './duty.ts';

export interface AgeingOptions {
  db: Db;
  broker: Broker;
  queues: readonly string[];
  onCommitted: (rows: readonly Dispatch[]) => void;
  /** How long a job may wait, in ms. */
  boundMs: number;
  everyMs: number;
}

export function ageing({ db, broker, queues, onCommitted, boundMs, everyMs }: AgeingOptions): Duty {
  return {
    name: 'ageing',
    // Often: only when some of those raised have begun are others raised, and a fast queue serves them all in a moment.
    everyMs: Math.min(everyMs, boundMs / 10, 1_000),
    async run() {
      // Raised, they are taken out of the engine and wait for the relay: behind an engine that takes none that would be no gain.
      if (!broker.ready || broker.pressure.holdsAdds) return 0;
      const raised = await raiseAged(db, queues, boundMs / 2);
      onCommitted(raised);
      // The generation before still stands further back: its begin would be refused, this only spares the delivery.
      for (const { id, generation, queue } of raised)
        broker.remove(queue, engineId({ jobId: id, generation: generation - 1 })).catch(() => undefined);
      return raised.length;
    },
  };
}
