// One request and its one answer. Answers are written in a single call with ready-made headers; nothing is added later.
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';
import type { Emit } from '../shared/events.ts';
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

export interface Answer {
  status: number;
  /** Name, value, name, value. */
  headers?: readonly string[];
  body?: string | Buffer;
  /** The problem code, when it is one. */
  code?: string;
}

/** Writes the answer, unless the other side has gone. */
export function send(exchange: Exchange, answer: Answer): void {
  const { res, emit, requestId } = exchange;
  if (res.headersSent || res.destroyed) return;
  const { status, body = '', code } = answer;
  const headers = ['X-Request-ID', requestId, ...securityHeaders, ...(answer.headers ?? [])];
  if (status !== 304) headers.push('Content-Length', String(Buffer.byteLength(body)));
  if (exchange.closing) headers.push('Connection', 'close');
  res.writeHead(status, headers);
  res.end(body);
  const durationMs = performance.now() - exchange.startedAt;
  const method = exchange.req.method ?? '';
  const event = { method, route: exchange.route, status, durationMs, requestId };
  emit('http.answered', code === undefined ? event : { ...event, code });
}

const jsonHeaders = ['Content-Type', 'application/json; charset=utf-8', 'Cache-Control', 'no-store'];

/** Answers with JSON that must not be kept by a cache. */
export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  send(exchange, { status, headers: jsonHeaders, body: JSON.stringify(value) });
}
