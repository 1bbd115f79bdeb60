// Ends what has had its time: expires jobs that nobody could run, deletes what is past its lifetime, repairs waiters.
import type { Emit } from '../../shared/events.ts';
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { expire, prune, type Place } from '../../ledger/retention.ts';
import { repairWaiters } from '../../ledger/waiters.ts';
import type { Duty } from './duty.ts';

/** Of a deeper backlog the next round looks at the rest: a stop does not have to wait for all of it. */
const pagesARound = 20;

export function expirer(
  { db, emit, onCommitted }: { db: Db; emit: Emit; onCommitted: (rows: readonly Dispatch[]) => void },
  everyMs: number,
): Duty {
  let after: Place | undefined;
  return {
    name: 'expirer',
    everyMs,
    async run() {
      let total = 0;
      for (let page = 0; page < pagesARound; page += 1) {
        const { expired, dispatches, next } = await expire(db, after);
        onCommitted(dispatches);
        total += expired.length;
        for (const job of expired) emit('job.finished', { ...job, state: 'expired' });
        after = next;
        if (next === undefined) break;
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
