// One request and its one answer. Answers are written in a single call with ready-made headers; nothing is added later. Only a file
// in parts is streamed.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import helmet from 'helmet';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { sanitiseText } from '../shared/text.ts';
import type { Patience } from './patience.ts';

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** The route's pattern, never the address: addresses can hold secrets. */
  route: string;
  requestId: string;
  /** From performance.now(). */
  startedAt: number;
  params: Readonly<Record<string, string>>;
  query: ReadonlyMap<string, string>;
  emit: Emit;
  /** How long it waits for the ledger. */
  patience: Patience;
  /** Tells the other side not to use this connection again. */
  closing: boolean;
}

/** Helmet's headers for an API, worked out once: they are the same for every answer. */
export const securityHeaders: readonly string[] = collectHeaders();

function collectHeaders(): string[] {
  const headers: string[] = [];
  const recorder = {
    setHeader: (name: string, value: string) => void headers.push(name, value),
    removeHeader: () => undefined,
  };
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  protect({} as IncomingMessage, recorder as unknown as ServerResponse, () => undefined);
  return headers;
}

interface Head {
  status: number;
  /** Name, value, name, value. */
  headers?: readonly string[];
  /** The problem code, when it is one. */
  code?: string;
}

export interface Answer extends Head {
  body?: string | Buffer;
}

/** Writes the answer, unless the other side has gone. */
export function send(exchange: Exchange, answer: Answer): void {
  const { body = '' } = answer;
  if (!sendHead(exchange, answer, Buffer.byteLength(body))) return;
  exchange.res.end(body);
  announce(exchange, answer);
}

/**
 * Writes an answer of `size` bytes whose parts are read one by one, as fast as the other side takes them. The rest is not read when it
 * goes away; when they cannot be read to their end it sees its connection break, never an answer that looks whole.
 */
export function sendParts(
  exchange: Exchange,
  answer: Head & { size: number },
  parts: AsyncIterable<Buffer>,
): void {
  const { req, res } = exchange;
  if (!sendHead(exchange, answer, answer.size)) return;
  announce(exchange, answer);
  if (req.method === 'HEAD') res.end();
  else pipeline(telling(exchange, parts), res, () => undefined);
}

/** Says why the parts could not be read to their end: the answer has begun and cannot tell any more. */
async function* telling(
  { emit, route, requestId }: Exchange,
  parts: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    yield* parts;
  } catch (thrown) {
    const facts = { route, requestId, error: sanitiseText(toError(thrown).message, 500) };
    emit('notice', { level: 'warn', message: 'an answer could not be sent to its end', facts });
    throw thrown;
  }
}

/** False when there is nobody to answer, or the answer is there already. */
function sendHead(exchange: Exchange, answer: Head, size: number): boolean {
  const { res, requestId } = exchange;
  if (res.headersSent || res.destroyed) return false;
  const headers = ['X-Request-ID', requestId, ...securityHeaders, ...(answer.headers ?? [])];
  if (answer.status !== 304) headers.push('Content-Length', String(size));
  if (exchange.closing) headers.push('Connection', 'close');
  res.writeHead(answer.status, headers);
  return true;
}

function announce({ req, route, startedAt, requestId, emit }: Exchange, { status, code }: Head): void {
  const durationMs = performance.now() - startedAt;
  const event = { method: req.method ?? '', route, status, durationMs, requestId };
  emit('http.answered', code === undefined ? event : { ...event, code });
}

const jsonHeaders = ['Content-Type', 'application/json; charset=utf-8', 'Cache-Control', 'no-store'];

/** Answers with JSON that must not be kept by a cache. */
export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  send(exchange, { status, headers: jsonHeaders, body: JSON.stringify(value) });
}
