// Login and logout. A key is pasted once and becomes a session; every key that does not open one gets the same answer,
// and an address that guesses is slowed down. As in the API, a key that begins like a right one is looked at all the same: behind
// a proxy all operators share the address of the one who guesses.
import { Router, urlencoded, type Request, type Response } from 'express';
import { Problem } from '../shared/errors.ts';
import { createThrottle } from '../shared/throttle.ts';
import type { Db } from '../ledger/db.ts';
import { hasScope, type Keyring } from '../ledger/keys.ts';
import { closeSession, openSession } from '../ledger/sessions.ts';
import { sendPage, sendProblem } from './answers.ts';
import { cookieLine, readToken, type CookieOptions } from './cookie.ts';
import { localPath } from './gate.ts';
import { render } from './views.ts';

export interface LoginOptions extends CookieOptions {
  db: Db;
  keyring: Keyring;
  /** Shown on the page: which system this is. */
  environment: string;
}

const wrongKey = 'This key does not open the dashboard.';

export function loginRoutes(options: LoginOptions): Router {
  const router = Router();
  const throttle = createThrottle({ perMinute: 10 });
  const page = (next: string, message?: string): string =>
    render('login', { next, message, environment: options.environment });

  router.get('/login', (request, response) => {
    sendPage(response, 200, page(localPath(request.query['next'])));
  });

  router.post('/login', urlencoded({ extended: false, limit: '4kb' }), (request, response) =>
    login(request, response),
  );
  router.post('/logout', (request, response) => logout(options, request, response));

  async function login(request: Request, response: Response): Promise<void> {
    const address = request.socket.remoteAddress ?? '';
    const retryAfterSeconds = throttle.waitSeconds(address, Date.now());
    const { key, next } = fields(request);
    if (retryAfterSeconds > 0 && !(await options.keyring.likely(key))) {
      const message = `too many wrong keys came from your address; try again in ${retryAfterSeconds} s`;
      sendProblem(request, response, new Problem('rate_limited', message, { retryAfterSeconds }));
      return;
    }
    if (await signIn(options, key, response)) {
      response.redirect(303, next);
      return;
    }
    throttle.failed(address, Date.now());
    sendPage(response, 401, page(next, wrongKey));
  }
  return router;
}

async function logout(options: LoginOptions, request: Request, response: Response): Promise<void> {
  const token = readToken(request, options);
  if (token !== undefined) await closeSession(options.db, token);
  response.setHeader('Set-Cookie', cookieLine(options));
  response.redirect(303, '/login');
}

function fields(request: Request): { key: string; next: string } {
  const body = (request.body ?? {}) as { key?: unknown; next?: unknown };
  return { key: typeof body.key === 'string' ? body.key.trim() : '', next: localPath(body.next) };
}

/** Opens a session for a key that may read jobs. */
async function signIn(
  { db, keyring, secure }: LoginOptions,
  key: string,
  response: Response,
): Promise<boolean> {
  const caller = await keyring.verify(key);
  if (typeof caller === 'string' || !hasScope(caller, 'jobs:read')) return false;
  response.setHeader('Set-Cookie', cookieLine({ secure }, await openSession(db, caller)));
  return true;
}
