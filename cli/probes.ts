// What an orchestrator asks a work process: /livez (it turns), /readyz (it can do its work), /metrics.
// `/readyz?verbose` is the same as `/readyz`, which tells everything; the API takes both.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { shownHost } from '../shared/addresses.ts';
import type { Metrics } from '../shared/metrics.ts';

export interface ProbesOptions {
  host: string;
  port: number;
  ready: () => Promise<{ ledger: boolean; engine: boolean; held: readonly string[] }>;
  metrics: Metrics;
}

export async function startProbes(
  options: ProbesOptions,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(options, (request.url ?? '/').replace(/\?.*$/, '')).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    url: `http://${shownHost(options.host)}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

async function answer({ ready, metrics }: ProbesOptions, path: string): Promise<Answer> {
  const type = 'application/json';
  if (path === '/livez') return { status: 200, type, body: '{"status":"ok"}\n' };
  if (path === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.text() };
  if (path !== '/readyz') return { status: 404, type, body: '{"status":"not found"}\n' };
  const parts = await ready();
  const good = parts.ledger && parts.engine && parts.held.length === 0;
  return {
    status: good ? 200 : 503,
    type,
    body: `${JSON.stringify({ status: good ? 'ok' : 'not ready', ...parts })}\n`,
  };
}
