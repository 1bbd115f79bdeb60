// The comparison of everything, after the engine has lost something: the reconciler's, the command line's and the drill's.
import type { Broker } from '../engine/types.ts';
import type { Db } from './db.ts';
import { bringBack, forgottenOf, stillForgotten, walkDispatched, type Dispatched } from './recover.ts';
import type { Relay } from './relay.ts';

export interface RecoverOptions {
  db: Db;
  broker: Pick<Broker, 'held'>;
  relay: Pick<Relay, 'carry'>;
  queues: readonly string[];
  /** Counts only; changes nothing. */
  dryRun?: boolean;
  /** Awaited after each page; one that rejects ends the comparison. */
  afterPage?: () => Promise<void>;
}

export interface Recovered {
  /** Jobs that the ledger has given to the engine and that have not begun. */
  compared: number;
  /** Those of them that the engine did not hold, by queue and state. */
  forgotten: readonly { queue: string; state: Dispatched['state']; jobs: number }[];
  /** Those that the engine took again: not the ones that moved on meanwhile, or for which it has no room; 0 in a dry run. */
  broughtBack: number;
}

/** A thousand are one look at the engine and one statement; larger ones only hold locks longer. */
const pageSize = 1_000;

/** Rejects when the engine or the ledger does not answer; what was brought back until then stays so. */
export async function recoverAll(options: RecoverOptions): Promise<Recovered> {
  const { db, broker, relay, queues, dryRun = false, afterPage } = options;
  const walk = walkDispatched(db, { queues, size: pageSize });
  const counts = new Map<string, Recovered['forgotten'][number]>();
  let compared = 0;
  let broughtBack = 0;
  for (let page = await walk.next(); page.length > 0; page = await walk.next()) {
    const forgotten = await stillForgotten(
      db,
      await forgottenOf(broker, page, { ways: ['queued', 'active'] }),
    );
    compared += page.length;
    count(counts, forgotten);
    if (!dryRun) broughtBack += await bringBack(db, relay, forgotten);
    await afterPage?.();
  }
  return { compared, forgotten: [...counts.values()], broughtBack };
}

function count(counts: Map<string, Recovered['forgotten'][number]>, rows: readonly Dispatched[]): void {
  for (const { queue, state } of rows) {
    const name = `${queue} ${state}`;
    counts.set(name, { queue, state, jobs: (counts.get(name)?.jobs ?? 0) + 1 });
  }
}
