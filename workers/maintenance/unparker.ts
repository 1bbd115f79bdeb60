// Gives parked jobs back to the engine once every process that could get them can run them.
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { freeParked, pageSize } from '../../ledger/parked.ts';
import type { Duty } from './duty.ts';

export interface UnparkerOptions {
  db: Db;
  onCommitted: (rows: readonly Dispatch[]) => void;
  /** A process that was not seen for this long does not count, in ms. */
  aliveMs: number;
  everyMs: number;
}

export function unparker({ db, onCommitted, aliveMs, everyMs }: UnparkerOptions): Duty {
  return {
    name: 'unparker',
    everyMs,
    async run() {
      let total = 0;
      for (let left = true; left;) {
        const rows = await freeParked(db, aliveMs);
        onCommitted(rows);
        total += rows.length;
        left = rows.length === pageSize;
      }
      return total;
    },
  };
}
