// `storytime api`: the enqueue API. It answers while the engine is away: what is accepted is in the ledger.
import { dailyBudgetMicroUsd, drainMs, type Environment } from '../shared/config.ts';
import { createAuthenticate } from '../api/auth.ts';
import { startApi } from '../api/server.ts';
import { createCheckSpending } from '../api/spending.ts';
import { createLedgerClock } from '../ledger/clock.ts';
import { createEnqueue } from '../ledger/enqueue.ts';
import { createKeyring } from '../ledger/keys.ts';
import { watchReadiness } from '../ledger/readiness.ts';
import { registry as storytime } from '../queues/index.ts';
import type { Registry } from '../queues/registry.ts';
import { linkSecretOf, openParts, publicUrlOf } from './parts.ts';
import { runPart, type Part } from './process.ts';

/** `registry`: tests bring kinds of their own. */
export async function runApi(env: Environment, registry: Registry = storytime): Promise<number> {
  return runPart('api', env, (part) => start(part, registry));
}

async function start(part: Part, registry: Registry): Promise<string> {
  const { config, emit, lifecycle, metrics } = part;
  const parts = await openParts(part, { registry, workers: 0, statementTimeoutMs: 2_000 });
  const { db, broker, relay } = parts;
  const readiness = watchReadiness({ db, broker, emit });
  lifecycle.onStop('the readiness watch', readiness.stop);
  const api = await startApi({
    registry,
    db,
    enqueue: createEnqueue({ db, emit, onCommitted: (rows) => relay.nudge(rows) }),
    authenticate: createAuthenticate(createKeyring({ db })),
    emit,
    readiness: readiness.now,
    now: createLedgerClock(db).now,
    checkSpending: createCheckSpending(db, dailyBudgetMicroUsd(config)),
    metrics,
    linkSecret: linkSecretOf(config),
    publicUrl: publicUrlOf(config),
    draining: () => lifecycle.stopping,
    drainMs: drainMs(config),
    onCancelled: (rows) => {
      for (const { queue, id, generation } of rows)
        broker.remove(queue, `${id}-${generation}`).catch(() => undefined); // begin refuses it all the same
    },
    host: config.STORYTIME_HOST,
    port: config.STORYTIME_API_PORT,
  });
  lifecycle.onStop('the relay', () => relay.idle());
  lifecycle.onStop('the API', () => api.close(), config.STORYTIME_GRACE_MS);
  return api.url;
}
