// Probes and metrics. /livez: the process answers. /readyz: it can accept jobs, which takes the ledger and nothing else;
// an absent engine only shows as degraded, because accepted jobs wait for it in the ledger.
import { remember } from '../../shared/remember.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { send, sendJson, type Exchange } from '../exchange.ts';

export function healthRoutes(deps: ApiDeps): Route[] {
  const readiness = remember(500, () => deps.readiness());
  const live: Route = {
    method: 'GET',
    path: '/livez',
    query: [],
    open: true,
    probe: true,
    run: (exchange) => sendJson(exchange, 200, { status: 'alive' }),
  };
  const readyz: Route = {
    method: 'GET',
    path: '/readyz',
    query: ['verbose'],
    open: true,
    probe: true,
    run: (exchange) => ready(deps, readiness, exchange),
  };
  const { metrics } = deps;
  if (metrics === undefined) return [live, readyz];
  const metricsRoute: Route = {
    method: 'GET',
    path: '/metrics',
    query: [],
    scope: 'jobs:read',
    async run(exchange) {
      const headers = ['Content-Type', metrics.contentType, 'Cache-Control', 'no-store'];
      send(exchange, { status: 200, headers, body: await metrics.text() });
    },
  };
  return [live, readyz, metricsRoute];
}

async function ready(deps: ApiDeps, readiness: ApiDeps['readiness'], exchange: Exchange): Promise<void> {
  const parts = await readiness().catch(() => ({ ledger: false, engine: false, engineReason: null }));
  const { ledger, engine, engineReason } = parts;
  const draining = deps.draining();
  const isReady = ledger && !draining;
  const status = isReady ? 'ready' : 'unavailable';
  const degraded = engine && (engineReason ?? null) === null ? [] : ['engine'];
  const verbose = exchange.query.has('verbose');
  sendJson(exchange, isReady ? 200 : 503, verbose ? { status, ...parts, draining, degraded } : { status });
}
