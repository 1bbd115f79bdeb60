// The gate before everything that shows data: a session whose key may read jobs. And, for everything that is not a read,
// the proof that the request came from our own page.
import type { RequestHandler } from 'express';
import type { Db } from '../ledger/db.ts';
import { hasScope } from '../ledger/keys.ts';
import { readSession } from '../ledger/sessions.ts';
import { problemOf, sendProblem, wantsPage } from './answers.ts';
import { readToken, type CookieOptions } from './cookie.ts';

const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses a write from another site. A form post needs no preflight, so the cookie alone would not stop it. */
export const sameOriginOnly: RequestHandler = (request, response, next) => {
  if (reads.has(request.method) || cameFromUs(request.headers)) {
    next();
    return;
  }
  sendProblem(
    request,
    response,
    problemOf('csrf_rejected', 'the request came from another site, or did not say where from'),
  );
};

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function cameFromUs(headers: Headers): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === host;
}

/** Lets through who is signed in; a person is sent to the login and back, a program gets 401 and no data. */
export function signedInOnly(db: Db, options: CookieOptions): RequestHandler {
  return async (request, response, next) => {
    const token = readToken(request, options);
    const caller = token === undefined ? undefined : await readSession(db, token);
    if (caller !== undefined && hasScope(caller, 'jobs:read')) next();
    else if (reads.has(request.method) && wantsPage(request))
      response.redirect(302, `/login?next=${encodeURIComponent(request.originalUrl)}`);
    else
      sendProblem(
        request,
        response,
        problemOf('unauthenticated', 'sign in at /login with a key that may read jobs'),
      );
  };
}

/** A path of ours to go to after the login: never another host, however it is spelled. */
export function localPath(next: unknown): string {
  const home = '/ops';
  if (typeof next !== 'string' || !next.startsWith('/')) return home;
  if (!URL.canParse(next, 'http://here.invalid')) return home;
  const url = new URL(next, 'http://here.invalid');
  const path = url.pathname + url.search;
  // `/.//evil` is on our host for the parser and becomes `//evil`, another host, when it is written out.
  return url.origin === 'http://here.invalid' && !path.startsWith('//') ? path : home;
}
