// Our API on Redis: key, limits, schema check, group commit, relay, metrics and log included.
import { createEvents } from '../../shared/events.ts';
import { createLog, logEvents } from '../../shared/log.ts';
import { createMetrics } from '../../shared/metrics.ts';
import { createAuthenticate } from '../../api/auth.ts';
import { startApi } from '../../api/server.ts';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { openDb } from '../../ledger/db.ts';
import { createEnqueue } from '../../ledger/enqueue.ts';
import { createKey, createKeyring } from '../../ledger/keys.ts';
import { createRelay } from '../../ledger/relay.ts';
import { registry } from '../registry.ts';
import { payload, type Server } from './types.ts';

export const ourApi: Server = async (context) => {
  const events = createEvents();
  logEvents(events, createLog({ level: 'info', part: 'api' }));
  const metrics = createMetrics(events, { version: 'bench' });
  const { emit } = events;
  const db = openDb({ url: context.databaseUrl, poolSize: 10, statementTimeoutMs: 2_000, emit });
  const engine = openEngine({
    databaseUrl: context.databaseUrl,
    redisUrl: context.redisUrl,
    workers: 0,
  });
  const broker = createBroker(engine, ['bench']);
  await broker.boardQueues();
  const relay = createRelay({ db, broker, registry, emit });
  const enqueue = createEnqueue({ db, emit, onCommitted: relay.nudge });
  const { key } = await createKey(db, { name: 'bench', tenant: 'bench', scopes: ['enqueue:*'] });
  const { url } = await startApi({
    registry,
    db,
    enqueue,
    emit,
    metrics,
    authenticate: createAuthenticate(createKeyring({ db })),
    readiness: async () => Promise.resolve({ ledger: true, engine: true }),
    linkSecret: 'bench'.repeat(8),
    draining: () => false,
    host: '127.0.0.1',
    port: 0,
  });
  return {
    url,
    path: '/v1/jobs',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ kind: 'noop', payload }),
  };
};
