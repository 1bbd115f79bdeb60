// The ledger's clock, as this process can know it: asked for with half the round trip allowed for, and then counted on with
// this machine's monotonic time, which no jump of its own clock moves.
import type { Db } from './db.ts';

export interface Comparison {
  /** This machine's clock minus the database's, in ms: positive when ours is ahead. */
  aheadMs: number;
  /** How far off that can be: half the round trip. */
  uncertainMs: number;
  /** The database's time at `performance.now() = 0`, in ms since 1970. */
  originMs: number;
}

export interface LedgerClock {
  /** The ledger's time in ms since 1970; asks the database when the last answer is over a minute old. */
  now: () => Promise<number>;
}

const rememberedMs = 60_000;
const readTime = {
  name: 'clock_read',
  text: `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms`,
};

/** Compares this machine's clock with the database's. */
export async function compareClocks(db: Pick<Db, 'ping' | 'run'>): Promise<Comparison> {
  await db.ping(); // so that connecting is not counted as a difference
  const sentAt = performance.now();
  const [row] = await db.run<{ now_ms: number }>(readTime, []);
  const answeredAt = performance.now();
  const ownMs = Date.now();
  if (row === undefined) throw new Error('reading the clock failed: no row came back; this is a bug');
  const uncertainMs = (answeredAt - sentAt) / 2;
  const ledgerMs = row.now_ms + uncertainMs;
  return { aheadMs: ownMs - ledgerMs, uncertainMs, originMs: ledgerMs - answeredAt };
}

export function createLedgerClock(db: Pick<Db, 'ping' | 'run'>): LedgerClock {
  let originMs = 0;
  let askedAt = -Infinity;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    originMs = (await compareClocks(db)).originMs;
    askedAt = performance.now();
  }

  return {
    async now() {
      // Asked once for all who wait: a burst would queue up for connections, and be told the time too late.
      if (performance.now() - askedAt > rememberedMs)
        await (asking ??= ask().finally(() => (asking = undefined)));
      return originMs + performance.now();
    },
  };
}
