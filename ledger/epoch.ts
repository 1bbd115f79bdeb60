// What the engine showed when it last agreed with this ledger, and whether it still shows that. The ledger's side is read
// before the engine's, and the engine's is raised before ours: two that look at once then never take a lower count for an old copy.
import { newId } from '../shared/ids.ts';
import type { Broker, Epoch } from '../engine/types.ts';
import type { Db } from './db.ts';

/** How an engine that may have lost entries was noticed. `new`: this ledger has not seen any engine yet. */
export type Doubt = 'new' | 'missing' | 'foreign' | 'older' | 'restarted';

const readRow = {
  name: 'epoch_read',
  text: `SELECT epoch, count::float8 AS count, instance FROM engine_epoch WHERE id = 1`,
};

const agreeRow = {
  name: 'epoch_agree',
  text: `UPDATE engine_epoch SET count = greatest(count, $2), agreed_at = clock_timestamp() WHERE id = 1 AND epoch = $1`,
};

const replaceRow = {
  name: 'epoch_replace',
  text: `INSERT INTO engine_epoch AS e (id, epoch, count, instance, recoveries, agreed_at) VALUES (1, $1, $2, $3, 1, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, count = excluded.count, instance = excluded.instance,
      recoveries = e.recoveries + 1, agreed_at = excluded.agreed_at`,
};

type EpochBroker = Pick<Broker, 'readEpoch' | 'writeEpoch'>;

/** Looks at the engine's canary; undefined when it agrees with the ledger. */
export async function doubtOf(db: Db, broker: EpochBroker): Promise<Doubt | undefined> {
  const [known] = await db.run<Epoch & object>(readRow, []);
  const shown = await broker.readEpoch();
  const doubt = compare(known, shown);
  if (doubt === undefined && shown !== undefined) await db.run(agreeRow, [shown.epoch, shown.count]);
  return doubt;
}

function compare(known: Epoch | undefined, shown: Epoch | undefined): Doubt | undefined {
  if (known === undefined) return 'new';
  if (shown === undefined) return 'missing';
  if (shown.epoch !== known.epoch) return 'foreign';
  if (shown.count < known.count) return 'older';
  return shown.instance === known.instance ? undefined : 'restarted';
}

/**
 * Runs `compareAll` between a new canary in the engine and its note in the ledger. Should it fail or its process die, the two
 * differ and the next look begins again; an engine that is flushed meanwhile has lost the new canary, too.
 */
export async function underNewEpoch<T>(
  db: Db,
  broker: EpochBroker,
  compareAll: () => Promise<T>,
): Promise<T> {
  const written = await broker.writeEpoch(newId());
  const result = await compareAll();
  await db.run(replaceRow, [written.epoch, written.count, written.instance]);
  return result;
}
