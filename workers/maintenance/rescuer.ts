// Gives dead workers' jobs back, and jobs that should have begun and do not wait in the engine. The only owner of recovery.
import type { Broker } from '../../engine/types.ts';
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { rescue } from '../../ledger/leases.ts';
import { recoverSome, walkDispatched } from '../../ledger/recover.ts';
import type { Relay } from '../../ledger/relay.ts';
import type { Duty } from './duty.ts';

export interface RescuerOptions {
  db: Db;
  broker: Broker;
  relay: Relay;
  queues: readonly string[];
  onCommitted: (rows: readonly Dispatch[]) => void;
  leaseMs: number;
  everyMs: number;
}

/** Jobs a round; more of them while the engine has lost all it is asked for. */
const lookAt = 500;

export function rescuer(options: RescuerOptions): Duty {
  const { db, broker, queues, leaseMs } = options;
  // A deep backlog is looked through page by page, so that nothing hides behind its oldest jobs.
  const walk = walkDispatched(db, { queues, size: lookAt, dueForMs: leaseMs });
  return {
    name: 'rescuer',
    everyMs: options.everyMs,
    async run() {
      const { rescued, dispatches } = await rescue(db);
      options.onCommitted(dispatches);
      if (!broker.ready) return rescued;
      // One that is active for a whole lease and has not begun was taken by a worker that died (docs/decisions/0003).
      return rescued + (await recoverSome(options, walk, { rows: lookAt, ways: ['queued'] }));
    },
  };
}
