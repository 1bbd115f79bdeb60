// The enqueue API as an Express app: one table of routes; what it does not name is a 404 or a 405. Every route needs a key
// except the probes and signed links. `POST /v1/jobs` comes first: the router looks in order.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { Problem } from '../shared/errors.ts';
import { requireScope } from './auth.ts';
import type { ApiDeps, Route } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { checkHeaders, readQuery } from './framing.ts';
import { createPatience } from './patience.ts';
import { sendProblem } from './problems.ts';
import { requestIdOf } from './request-id.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { enqueueRoute } from './routes/enqueue.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { openapiRoutes } from './routes/openapi.ts';
import { providerRoutes } from './routes/providers.ts';
import { queueRoutes } from './routes/queues.ts';

/** Every route, in the order in which the router tries them. */
export function apiRoutes(deps: ApiDeps): Route[] {
  return [
    enqueueRoute(deps),
    ...jobRoutes(deps),
    ...queueRoutes(deps),
    ...providerRoutes(deps),
    ...artifactRoutes(deps),
    ...healthRoutes(deps),
    ...openapiRoutes(deps),
  ];
}

export function createApi(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false);
  const routes = apiRoutes(deps);
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path);
    mount(deps, app, path, here);
  }
  app.use((req: Request, res: Response) => {
    const nothing = new Problem(
      'not_found',
      'the request failed: there is nothing at this address; see /openapi.json',
    );
    sendProblem(open(deps, 'unknown', req, res), nothing);
  });
  app.use((thrown: unknown, req: Request, res: Response, _next: NextFunction) => {
    sendProblem(open(deps, 'unknown', req, res), thrown);
  });
  return app;
}

/**
 * The app behind a shortcut: an enqueue by its plain address goes to its route without the router, which costs a tenth of
 * the request. Any other spelling of the address takes the long way to the same route.
 */
export function createListener(deps: ApiDeps): RequestListener {
  const app = createApi(deps);
  const hot = enqueueRoute(deps);
  return (req, res) => {
    if (req.url === hot.path && req.method === hot.method) void serve(deps, hot, req, res);
    else app(req, res);
  };
}

function mount(deps: ApiDeps, app: Express, path: string, routes: readonly Route[]): void {
  const target = app.route(path);
  const methods = routes.flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  for (const route of routes) {
    const answer = (req: Request, res: Response): void => void serve(deps, route, req, res);
    if (route.method === 'GET') target.get(answer);
    else target.post(answer);
  }
  target.all((req: Request, res: Response) => {
    const allowed = methods.join(', ');
    const problem = new Problem(
      'method_not_allowed',
      `the request failed: this address takes ${allowed} only`,
    );
    sendProblem(open(deps, path, req, res), problem, ['Allow', allowed]);
  });
}

function open(deps: ApiDeps, route: string, req: IncomingMessage, res: ServerResponse): Exchange {
  return {
    req,
    res,
    route,
    requestId: requestIdOf(req.headers['x-request-id']),
    startedAt: performance.now(),
    params: 'params' in req ? (req.params as Record<string, string>) : {},
    query: new Map(),
    emit: deps.emit,
    patience: createPatience(),
    closing: deps.draining(),
  };
}

/** Never rejects: whatever is thrown becomes the answer, and so does a ledger that is silent for too long. */
async function serve(deps: ApiDeps, route: Route, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const exchange = open(deps, route.path, req, res);
  try {
    await exchange.patience.limit(() => take(deps, route, exchange));
  } catch (thrown) {
    sendProblem(exchange, thrown);
  }
}

/** Framing, key, query, scope, then the route. */
async function take(deps: ApiDeps, route: Route, exchange: Exchange): Promise<void> {
  const { req } = exchange;
  checkHeaders(req);
  if (deps.closing?.() === true && !(route.open && route.probe === true)) throw stopping();
  if (route.open) {
    exchange.query = readQuery(req.url ?? '', route.query);
    return route.run(exchange);
  }
  const caller = await deps.authenticate(req);
  if (exchange.res.headersSent) return; // the ledger took too long: what was told failed is not begun any more
  exchange.query = readQuery(req.url ?? '', route.query);
  if (route.scope !== undefined) requireScope(caller, route.scope);
  await route.run(exchange, caller);
}

function stopping(): Problem {
  return new Problem('shutting_down', 'the request failed: this server is stopping; send it again', {
    retryAfterSeconds: 1,
  });
}
