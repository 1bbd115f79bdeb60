// Whether ledger and engine agree (I8): the reconciler's own comparison, looked at and not acted on, past every proxy.
import { createBroker } from '../../../engine/broker.ts';
import { openEngine } from '../../../engine/connect.ts';
import type { Db } from '../../../ledger/db.ts';
import { recoverAll } from '../../../ledger/recover-all.ts';
import { registry } from '../../../queues/index.ts';
import { eventually } from '../../support/house.ts';
import { faultRegistry } from '../programs/kinds.ts';
import type { World } from './world.ts';

const queues = [...faultRegistry.queues, ...registry.queues].map(({ name }) => name);

export interface Agreement {
  /** Jobs that the ledger has given to the engine and that have not begun. */
  compared: number;
  /** What the engine does not hold of them, as `3 waiting of play`. */
  forgotten: readonly string[];
}

type Place = Pick<World, 'databaseUrl' | 'redisUrl'> & { db: Db };

export function compareEngine(place: Place): Promise<Agreement> {
  return look(place, (broker) => compare(place, broker));
}

/** Once everything has ended: what the engine should hold and does not, and what it would still hand out. */
export function disagreementOf(place: Place): Promise<readonly string[]> {
  return look(place, async (broker) => {
    const { forgotten } = await compare(place, broker);
    await eventually(
      'the engine has handed out everything',
      async () => (await waitingIn(broker)) === 0,
      10_000,
    );
    return forgotten;
  });
}

async function look<T>(
  { databaseUrl, redisUrl }: Place,
  ask: (broker: ReturnType<typeof createBroker>) => Promise<T>,
): Promise<T> {
  const engine = openEngine({ databaseUrl, redisUrl, workers: 0 });
  const broker = createBroker(engine, queues);
  try {
    await engine.ready;
    return await ask(broker);
  } finally {
    await broker.close();
    await engine.close();
  }
}

async function compare({ db }: Place, broker: ReturnType<typeof createBroker>): Promise<Agreement> {
  const relay = { carry: () => Promise.resolve(0) };
  const { compared, forgotten } = await recoverAll({ db, broker, relay, queues, dryRun: true });
  return { compared, forgotten: forgotten.map(({ jobs, state, queue }) => `${jobs} ${state} of ${queue}`) };
}

/** What a worker would be given now; not what is due later, of which an older generation may be left. */
async function waitingIn(broker: ReturnType<typeof createBroker>): Promise<number> {
  const counts = (await broker.boardQueues()).map((queue) => queue.getJobCounts('waiting', 'prioritized'));
  return (await Promise.all(counts)).reduce(
    (sum, { waiting = 0, prioritized = 0 }) => sum + waiting + prioritized,
    0,
  );
}
