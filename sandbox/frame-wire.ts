// The HTTP side of the frame: a request off the socket, a delivery onto it. Knows bytes, not vendors.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, SandboxRequest } from './frame.ts';
import type { Delivery } from './frame-exchange.ts';

/** Bytes of a request body; more is answered 413. Above the largest plain upload of any vendor (100 MB). */
const bodyLimitBytes = 120 * 1024 * 1024;

/** undefined when the body is over the limit; rejects when the caller goes away in mid-body. */
export async function readRequest(message: IncomingMessage): Promise<SandboxRequest | undefined> {
  const url = new URL(message.url ?? '/', 'http://sandbox');
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early must not destroy the socket: the 413 still has to go out on it.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimitBytes) return undefined;
    chunks.push(chunk);
  }
  const step = message.headers['x-storytime-step'];
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    body: Buffer.concat(chunks),
    params: [],
    step: Array.isArray(step) ? step[0] : step,
    requestId: randomUUID(),
  };
}

function toBytes(answer: Answer): { contentType: string; bytes: Buffer } {
  if (Buffer.isBuffer(answer.body)) return { contentType: 'application/octet-stream', bytes: answer.body };
  if (typeof answer.body === 'string') {
    return { contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(answer.body) };
  }
  return { contentType: 'application/json; charset=UTF-8', bytes: Buffer.from(JSON.stringify(answer.body)) };
}

/** Sends it, or does what a bad day does. A hang and a stall keep the connection open until either side closes. */
export function deliver(delivery: Delivery, message: IncomingMessage, response: ServerResponse): void {
  if (delivery.how === 'hang') return;
  if (delivery.how === 'reset') {
    message.socket.resetAndDestroy();
    return;
  }
  const { contentType, bytes } = toBytes(delivery.answer);
  response.writeHead(delivery.answer.status, {
    'content-type': contentType,
    'content-length': String(bytes.length),
    ...delivery.answer.headers,
  });
  if (delivery.how === 'whole') {
    response.end(bytes);
    return;
  }
  response.flushHeaders();
  response.write(bytes.subarray(0, delivery.afterBytes), () => {
    if (delivery.how === 'cut') response.destroy();
  });
}
