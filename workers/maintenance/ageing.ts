// No job starves: one that has waited for half of the bound behind later ones of higher priority is served like a high one.
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
    everyMs: Math.min(everyMs, boundMs / 10),
    async run() {
      const raised = await raiseAged(db, queues, boundMs / 2);
      onCommitted(raised);
      // The generation before still stands further back: its begin would be refused, this only spares the delivery.
      for (const { id, generation, queue } of raised)
        broker.remove(queue, engineId({ jobId: id, generation: generation - 1 })).catch(() => undefined);
      return raised.length;
    },
  };
}
