// What must hold for a request before anything else is looked at. Node's parser keeps the first of two Authorization
// headers and drops the second silently; the raw list still shows both.
import type { IncomingMessage } from 'node:http';
import { Problem } from '../shared/errors.ts';
import { quoted } from '../shared/text.ts';

const maxHeaders = 100;
const singular = new Map([
  [12, 'content-type'],
  [13, 'authorization'],
  [15, 'idempotency-key'],
]);

/** Refuses too many headers, and headers sent twice that may be sent once. */
export function checkHeaders(req: IncomingMessage): void {
  if (req.rawHeaders.length > maxHeaders * 2) {
    const why = `it has more than ${maxHeaders} headers; send fewer`;
    throw new Problem('headers_too_large', `the request failed: ${why}`);
  }
  if (req.headers.host === undefined && req.httpVersion === '1.1')
    throw new Problem('invalid_request', 'the request failed: it has no Host header; send one');
  checkSingular(req.rawHeaders);
}

/** Compared by length first: this runs for every header of every request. */
function checkSingular(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] ?? '';
    const name = singular.get(given.length);
    if (name === undefined || given.toLowerCase() !== name) continue;
    const bit = 1 << (given.length - 12);
    if ((seen & bit) !== 0) throw twice(name);
    seen |= bit;
  }
}

function twice(name: string): Problem {
  const code = name === 'authorization' ? 'ambiguous_credentials' : 'invalid_request';
  return new Problem(code, `the request failed: it has two ${name} headers; send one`);
}

const none: ReadonlyMap<string, string> = new Map();

/** The query parameters, each known to the route and sent once. */
export function readQuery(address: string, known: readonly string[]): ReadonlyMap<string, string> {
  const mark = address.indexOf('?');
  if (mark === -1) return none;
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(address.slice(mark + 1))) {
    if (!known.includes(name)) throw unknown(name, known);
    if (query.has(name))
      throw new Problem(
        'unknown_parameter',
        `the request failed: the parameter ${name} is there twice; send one`,
      );
    query.set(name, value);
  }
  return query;
}

function unknown(name: string, known: readonly string[]): Problem {
  const hint = known.length === 0 ? 'this address takes none' : `known are ${known.join(', ')}`;
  return new Problem('unknown_parameter', `the request failed: ${quoted(name)} is not a parameter; ${hint}`);
}
