// The wiring that api, work and dashboard share: ledger, engine, broker, relay. Opens what it can and waits for nothing:
// each part starts while the ledger or the engine is away, and says so when asked whether it is ready.
import { join, resolve } from 'node:path';
import { shownHost } from '../shared/addresses.ts';
import type { Config } from '../shared/config.ts';
import { createBroker } from '../engine/broker.ts';
import { openEngine, type Engine } from '../engine/connect.ts';
import type { Broker } from '../engine/types.ts';
import { openDb, type Db } from '../ledger/db.ts';
import { startEmbeddedPostgres } from '../ledger/embedded/start.ts';
import { createRelay, type Relay } from '../ledger/relay.ts';
import type { Registry } from '../queues/registry.ts';
import { ensureSecret, makeHome } from './home.ts';
import type { Part } from './process.ts';
import { watchSchema } from './schema-watch.ts';

export interface Parts {
  db: Db;
  engine: Engine;
  broker: Broker;
  relay: Relay;
}

export interface PartsOptions {
  /** The queues and kinds there are. */
  registry: Registry;
  /** Workers of the engine in this process: each holds a connection. */
  workers: number;
  /** The server ends a statement of the ledger after this long, in ms. */
  statementTimeoutMs: number;
}

/** Registers how each is stopped: whatever is registered later is stopped before them. */
export async function openParts(part: Part, options: PartsOptions): Promise<Parts> {
  const { config, emit, lifecycle } = part;
  const { registry } = options;
  const database = await openDatabase(config, (line) => emit('notice', { level: 'warn', message: line }));
  lifecycle.onStop('the embedded PostgreSQL', database.stop, 5_000);
  const { url } = database;
  const db = openDb({
    url,
    poolSize: config.STORYTIME_LEDGER_POOL,
    statementTimeoutMs: options.statementTimeoutMs,
    emit,
  });
  lifecycle.onStop('the ledger', () => db.close());
  await watchSchema(part, db);
  const engine = openEngine({
    databaseUrl: url,
    redisUrl: config.REDIS_URL,
    workers: options.workers,
  });
  lifecycle.onStop('the engine', () => engine.close());
  const broker = createBroker(
    engine,
    registry.queues.map(({ name }) => name),
  );
  lifecycle.onStop('the broker', () => broker.close());
  const relay = createRelay({ db, broker, registry, emit });
  return { db, engine, broker, relay };
}

/** Where the embedded server keeps its data. */
export function embeddedFolder(config: Config): string {
  return join(resolve(config.STORYTIME_HOME), 'postgres');
}

/** The given database, or the embedded server of the home folder, started or joined. */
export async function openDatabase(
  config: Config,
  log?: (line: string) => void,
): Promise<{ url: string; embedded: boolean; stop: () => Promise<void> }> {
  if (config.DATABASE_URL !== undefined)
    return { url: config.DATABASE_URL, embedded: false, stop: () => Promise.resolve() };
  makeHome(config.STORYTIME_HOME);
  const server = await startEmbeddedPostgres({
    dataDir: embeddedFolder(config),
    ...(log !== undefined && { log }),
  });
  return { url: server.url, embedded: true, stop: server.stop };
}

/** Signs links to artifacts: the given secret, or the one kept in the home folder. */
export function linkSecretOf(config: Config): string {
  return config.STORYTIME_LINK_SECRET ?? ensureSecret(makeHome(config.STORYTIME_HOME), 'link-secret');
}

/** Address of the API as users see it. */
export function publicUrlOf(config: Config): string {
  return (
    config.STORYTIME_PUBLIC_URL ?? `http://${shownHost(config.STORYTIME_HOST)}:${config.STORYTIME_API_PORT}`
  );
}
