// Stands between an adapter and the sandbox, passes everything on and keeps what was asked.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Asked {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Recorder {
  url: string;
  /** What was asked since the last time this was read. */
  asked: () => Asked[];
  close: () => Promise<void>;
}

/** What belongs to one connection alone, and what fetch has undone. */
const ownHeaders = new Set([
  'host',
  'connection',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'keep-alive',
  'expect',
]);

const passedOn = (headers: Iterable<[string, unknown]>): [string, string][] =>
  [...headers].filter(([name]) => !ownHeaders.has(name)).map(([name, value]) => [name, String(value)]);

export async function openRecorder(target: string): Promise<Recorder> {
  let asked: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const { method = 'GET', url = '/', headers } = request;
      asked.push({ method, url: new URL(url, target), headers, body });
      const sent = { method, headers: passedOn(Object.entries(headers)), ...(body.length > 0 && { body }) };
      const answer = await fetch(target + url, sent);
      // A connection that is kept could be closed just when a slow test takes it again.
      response.setHeader('connection', 'close');
      response.writeHead(answer.status, Object.fromEntries(passedOn(answer.headers)));
      response.end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked() {
      const seen = asked;
      asked = [];
      return seen;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The same for a mail server: the lines that a client sent, over all connections. */
export async function openLineRecorder(
  target: string,
): Promise<{ url: string; lines: () => string[]; close: () => Promise<void> }> {
  const { port, hostname } = new URL(target);
  let sent = '';
  const server = createTcpServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.on('data', (bytes) => (sent += bytes.toString('latin1')));
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    lines: () => sent.split('\r\n'),
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
