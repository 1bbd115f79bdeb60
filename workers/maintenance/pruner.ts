// Ends what has had its time: expires jobs that nobody could run, deletes what is past its lifetime, repairs waiters.
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { expire, prune } from '../../ledger/retention.ts';
import { repairWaiters } from '../../ledger/waiters.ts';
import type { Duty } from './duty.ts';

export function expirer(db: Db, everyMs: number, onCommitted: (rows: readonly Dispatch[]) => void): Duty {
  return {
    name: 'expirer',
    everyMs,
    async run() {
      let total = 0;
      for (let left = true; left;) {
        const { expired, dispatches } = await expire(db);
        onCommitted(dispatches);
        total += expired;
        left = expired > 0;
      }
      return total;
    },
  };
}

export function pruner(db: Db, everyMs: number): Duty {
  return { name: 'pruner', everyMs, run: () => prune(db) };
}

export function waiterRepair(db: Db, everyMs: number): Duty {
  return { name: 'waiter-repair', everyMs, run: () => repairWaiters(db) };
}
