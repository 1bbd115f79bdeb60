// Whether ledger and engine agree (I8): the reconciler's own comparison, looked at and not acted on, past every proxy.
import { createBroker } from '../../../engine/broker.ts';
import { openEngine } from '../../../engine/connect.ts';
import type { Db } from '../../../ledger/db.ts';
import { recoverAll } from '../../../ledger/recover-all.ts';
import { registry } from '../../../queues/index.ts';
import { faultRegistry } from '../programs/kinds.ts';
import type { World } from './world.ts';

export interface Agreement {
  /** Jobs that the ledger has given to the engine and that have not begun. */
  compared: number;
  /** What the engine does not hold of them, as `3 waiting of play`. */
  forgotten: readonly string[];
}

export async function compareEngine({
  db,
  databaseUrl,
  redisUrl,
}: Pick<World, 'databaseUrl' | 'redisUrl'> & { db: Db }): Promise<Agreement> {
  const queues = [...faultRegistry.queues, ...registry.queues].map(({ name }) => name);
  const engine = openEngine({ databaseUrl, redisUrl, workers: 0 });
  const broker = createBroker(engine, queues);
  try {
    await engine.ready;
    const relay = { carry: () => Promise.resolve(0) };
    const { compared, forgotten } = await recoverAll({ db, broker, relay, queues, dryRun: true });
    return { compared, forgotten: forgotten.map(({ jobs, state, queue }) => `${jobs} ${state} of ${queue}`) };
  } finally {
    await broker.close();
    await engine.close();
  }
}
