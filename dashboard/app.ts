// The dashboard as one express app. The order is the security: headers, then the two probes, then the check of writes,
// then the login, then the gate, and only behind it anything that shows data.
import express, { type Express } from 'express';
import type { Emit } from '../shared/events.ts';
import type { Broker } from '../engine/types.ts';
import type { Db } from '../ledger/db.ts';
import type { Keyring } from '../ledger/keys.ts';
import { errorHandler, problemOf, sendProblem } from './answers.ts';
import { boardRoutes } from './board.ts';
import { sameOriginOnly, signedInOnly } from './gate.ts';
import { securityHeaders } from './headers.ts';
import { loginRoutes } from './login.ts';
import { opsRoutes } from './ops.ts';
import { styleSheet } from './views.ts';

export interface DashboardDeps {
  db: Db;
  broker: Broker;
  keyring: Keyring;
  /** Names of the queues, in the order of the table. */
  queues: readonly string[];
  /** `production`, `development`: a banner on every page. */
  environment: string;
  /** Operators come over https: the cookie is bound to host and scheme. */
  secure: boolean;
  emit: Emit;
}

export function createDashboard(deps: DashboardDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(securityHeaders(deps));
  app.get('/livez', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', async (_request, response) => {
    const ready = await deps.db.ping().then(
      () => true,
      () => false,
    );
    response
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ok\n' : 'the ledger does not answer\n');
  });
  app.get('/ops.css', (_request, response) => void response.type('css').send(styleSheet));
  app.use(sameOriginOnly);
  app.use(loginRoutes(deps));
  app.use(signedInOnly(deps.db, deps));
  app.get('/', (_request, response) => response.redirect(302, '/ops'));
  app.use(opsRoutes(deps));
  app.use('/board', boardRoutes(deps));
  app.use((request, response) =>
    sendProblem(request, response, problemOf('not_found', 'there is no such page; start at /ops')),
  );
  app.use(errorHandler(deps.emit));
  return app;
}
