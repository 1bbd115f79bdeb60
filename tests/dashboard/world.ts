// A dashboard on a database of its own, with keys, and a browser without a screen: it follows nothing and keeps one cookie.
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import type { Broker } from '../../engine/types.ts';
import { startDashboard, type DashboardOptions } from '../../dashboard/start.ts';
import { createKey, createKeyring } from '../../ledger/keys.ts';
import { queues } from '../../queues/index.ts';
import { openLedger, type LedgerWorld } from '../ledger/world.ts';

export interface Visit {
  status: number;
  headers: Headers;
  body: string;
}

export interface DashboardWorld {
  ledger: LedgerWorld;
  broker: Broker;
  url: string;
  /** A key that may read jobs. */
  key: string;
  visit: (path: string, init?: RequestInit) => Promise<Visit>;
  /** Posts the login form as our own page would. */
  login: (key: string, next?: string, headers?: Record<string, string>) => Promise<Visit>;
  /** Headers of a signed-in browser. */
  session: () => Promise<Record<string, string>>;
  close: () => Promise<void>;
}

export const queueNames = queues.map((queue) => queue.name);

/** `engineUrl` points the engine somewhere else, for instance to nowhere. */
export async function openDashboard(
  change: Partial<DashboardOptions> = {},
  engineUrl?: string,
): Promise<DashboardWorld> {
  const ledger = await openLedger();
  const engine = openEngine({
    databaseUrl: engineUrl ?? ledger.url,
    redisUrl: undefined,
    workers: 0,
  });
  const broker = createBroker(engine, queueNames);
  const { key } = await createKey(ledger.db, { name: 'ops', tenant: 'acme', scopes: ['jobs:read'] });
  const dashboard = await startDashboard({
    db: ledger.db,
    broker,
    keyring: createKeyring({ db: ledger.db }),
    queues: queueNames,
    environment: 'test',
    secure: false,
    emit: ledger.events.emit,
    host: '127.0.0.1',
    port: 0,
    ...change,
  });
  const visit = visitor(dashboard.url);
  const login: DashboardWorld['login'] = (given, next = '/ops', headers = {}) =>
    visit('/login', {
      method: 'POST',
      headers: { origin: dashboard.url, accept: 'text/html', ...headers },
      body: new URLSearchParams({ key: given, next }),
    });
  return {
    ledger,
    broker,
    url: dashboard.url,
    key,
    visit,
    login,
    session: async () => ({ cookie: cookieOf(await login(key)), accept: 'text/html' }),
    async close() {
      await dashboard.close();
      await broker.close();
      await engine.close();
      await ledger.close();
    },
  };
}

function visitor(url: string): DashboardWorld['visit'] {
  return async (path, init = {}) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
}

export function cookieOf({ headers }: Visit): string {
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
