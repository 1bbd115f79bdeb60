// The headers of every answer of the dashboard, errors included: nothing from outside, no frame, no sniffing, no cache.
import type { RequestHandler } from 'express';

const policy = (baseUri: string): string =>
  [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "frame-ancestors 'none'",
    `base-uri ${baseUri}`,
    "form-action 'self'",
  ].join('; ');

const ours = policy("'none'");
// Bull Board finds its own files through a <base> element: 'none' would break its pages below the first level.
const boards = policy("'self'");

/** `secure`: operators come over https, so browsers are told to stay there. */
export function securityHeaders(options: { secure: boolean }): RequestHandler {
  return (request, response, next) => {
    const isBoard = request.path === '/board' || request.path.startsWith('/board/');
    response.setHeader('Content-Security-Policy', isBoard ? boards : ours);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // Not `no-referrer`: then a browser says `Origin: null` of our own forms, and over plain http that is all it says (gate.ts).
    response.setHeader('Referrer-Policy', 'same-origin');
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Frame-Options', 'DENY');
    if (options.secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    next();
  };
}
