// Errors below HTTP and SMTP: was a byte sent, or not? Before it, the call is safe to repeat; after it, nobody knows.
import type { Diagnosis } from './failure.ts';

/** Raised before the request left this machine: no vendor has seen it, none can charge it. */
const beforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'UND_ERR_CONNECT_TIMEOUT',
  'EDNS',
  'HOSTNAME_MISMATCH',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** Of the way to the vendor, which may end before the request or under it. */
const noWay = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENOBUFS', 'ETIMEDOUT']);

/** Of a handshake: as OpenSSL names what is wrong with a certificate, and Node what is wrong with TLS. */
const handshake = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|ERR_TLS_)/;

const afterSending = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EPROTO',
  'ESOCKETTIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_ABORTED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Texts of undici and of the SDKs built on it, when the code is lost on the way. */
const texts = /^(fetch failed|terminated|socket hang up|other side closed|premature close|aborted)$/i;

/** The codes and messages of an error and of everything that caused it, outermost first. */
function* chain(error: unknown): Generator<Link> {
  let current = error;
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth += 1) {
    const { code, message, syscall, cause, errors } = current as Record<string, unknown>;
    yield {
      code: typeof code === 'string' ? code : undefined,
      message: typeof message === 'string' ? message : '',
      syscall,
    };
    // An AggregateError of "happy eyeballs" has one error per address; the first one tells enough.
    current = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
}

interface Link {
  code: string | undefined;
  message: string;
  syscall: unknown;
}

function neverSent({ code, syscall }: Link): boolean {
  if (code === undefined) return false;
  return beforeSending.has(code) || handshake.test(code) || (noWay.has(code) && syscall === 'connect');
}

/**
 * `HPE_…`: Node's parser gave the answer up, because it is no HTTP or its headers have no end. `ERR_SSL_…`: an alert, which may come
 * at any time.
 */
function wasLost({ code = '', message }: Link): boolean {
  return afterSending.has(code) || noWay.has(code) || /^(?:HPE|ERR_SSL)_/.test(code) || texts.test(message);
}

/** What a connection error means; undefined when it is none. `paid`: a repeat may cost once more. */
export function diagnoseNetwork(error: unknown, paid: boolean): Diagnosis | undefined {
  const links = [...chain(error)];
  const safe = links.find(neverSent);
  if (safe !== undefined) return { code: 'unavailable', why: safe.code ?? 'no connection' };
  const lost = links.findLast(wasLost);
  if (lost === undefined) return undefined;
  const why = `the connection was lost (${lost.code ?? lost.message.toLowerCase()})`;
  return { code: paid ? 'unknown_outcome' : 'unavailable', why };
}
