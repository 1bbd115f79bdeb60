// The ledger and the engine side by side, for commands that compare them: opened, waited for, closed again.
import type { Config } from '../shared/config.ts';
import type { Emit } from '../shared/events.ts';
import { createBroker } from '../engine/broker.ts';
import { openEngine } from '../engine/connect.ts';
import type { Broker } from '../engine/types.ts';
import { openDb, type Db } from '../ledger/db.ts';
import { createRelay, type Relay } from '../ledger/relay.ts';
import { registry } from '../queues/index.ts';
import { CliError } from './exit.ts';

export interface Comparison {
  db: Db;
  broker: Broker;
  relay: Relay;
  queues: readonly string[];
}

const patienceMs = 5_000;
/** What goes wrong here is the command's to tell. */
const emit: Emit = () => undefined;

/** Runs `work` with both at hand. Throws a CliError when the engine does not answer within five seconds. */
export async function withComparison<T>(
  config: Pick<Config, 'REDIS_URL'>,
  databaseUrl: string,
  work: (comparison: Comparison) => Promise<T>,
): Promise<T> {
  const db = openDb({ url: databaseUrl, poolSize: 4, statementTimeoutMs: 20_000, emit });
  const engine = openEngine({ databaseUrl, redisUrl: config.REDIS_URL, workers: 0 });
  const queues = registry.queues.map(({ name }) => name);
  const broker = createBroker(engine, queues);
  const relay = createRelay({ db, broker, registry, emit });
  try {
    if (!(await answered(engine.ready)))
      throw new CliError(
        'failed',
        `the engine cannot be looked into: ${engine.problem() ?? 'no answer within 5 s'}; see \`storytime doctor\``,
      );
    return await work({ db, broker, relay, queues });
  } finally {
    await broker.close();
    await engine.close();
    await db.close();
  }
}

async function answered(ready: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  return Promise.race([ready.then(() => true), late]).finally(() => clearTimeout(timer));
}
