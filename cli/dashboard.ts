// `storytime dashboard`: Bull Board and the operations page.
import type { Environment } from '../shared/config.ts';
import { startDashboard } from '../dashboard/start.ts';
import { createKeyring } from '../ledger/keys.ts';
import { registry } from '../queues/index.ts';
import { openParts } from './parts.ts';
import { runPart, type Part } from './process.ts';

export async function runDashboard(env: Environment): Promise<number> {
  return runPart('dashboard', env, start);
}

const openCookie =
  'STORYTIME_DASHBOARD_PUBLIC_URL is not an https address: the cookie of a sign-in goes over plain http, too';

async function start(part: Part): Promise<string> {
  const { config, emit, lifecycle } = part;
  const secure = config.STORYTIME_DASHBOARD_PUBLIC_URL?.startsWith('https:') ?? false;
  if (config.NODE_ENV === 'production' && !secure) emit('notice', { level: 'warn', message: openCookie });
  const { db, broker } = await openParts(part, { registry, workers: 0, statementTimeoutMs: 5_000 });
  const dashboard = await startDashboard({
    db,
    broker,
    keyring: createKeyring({ db }),
    queues: registry.queues.map(({ name }) => name),
    environment: config.NODE_ENV,
    secure,
    emit,
    host: config.STORYTIME_HOST,
    port: config.STORYTIME_DASHBOARD_PORT,
  });
  lifecycle.onStop('the dashboard', () => dashboard.close());
  return dashboard.url;
}
