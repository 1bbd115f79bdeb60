// The session cookie: unreadable to scripts, never sent from another site, tied to this host where there is https.
import type { Request } from 'express';

export interface CookieOptions {
  secure: boolean;
}

/** A browser refuses the `__Host-` prefix without Secure, and Secure without https: so plain http has its own name. */
const nameOf = ({ secure }: CookieOptions): string => (secure ? '__Host-storytime' : 'storytime_session');

const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

/** The token of the request, when it has the form of one. */
export function readToken(request: Request, options: CookieOptions): string | undefined {
  const name = nameOf(options);
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value = ''] = part.trim().split('=', 2);
    if (key === name && tokenPattern.test(value)) return value;
  }
  return undefined;
}

/** The Set-Cookie line that opens a session, or, without one, that ends it. */
export function cookieLine(options: CookieOptions, session?: { token: string; expiresAt: Date }): string {
  const value = session?.token ?? '';
  const expires = (session?.expiresAt ?? new Date(0)).toUTCString();
  const secure = options.secure ? '; Secure' : '';
  return `${nameOf(options)}=${value}; Path=/; Expires=${expires}; HttpOnly; SameSite=Strict${secure}`;
}
