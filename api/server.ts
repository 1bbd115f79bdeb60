// The API on a port, with every limit of Node's server set on purpose: a slow or endless client costs a socket for
// seconds, never a job or the process.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { shownHost } from '../shared/addresses.ts';
import { toError } from '../shared/errors.ts';
import { createListener } from './app.ts';
import { answerUnreadable } from './client-error.ts';
import type { ApiDeps } from './deps.ts';

export interface StartOptions extends ApiDeps {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** How long a request may take to arrive, in ms; default 14 s. */
  requestTimeoutMs?: number;
  /** How long a connection may go without a byte in either direction, in ms; default 30 s. */
  silenceMs?: number;
  /** How long a stop goes on accepting while it is not ready any more, in ms; default 0. */
  drainMs?: number;
}

export interface RunningApi {
  url: string;
  port: number;
  /** Turns unready, waits, stops accepting, answers what has arrived, then closes the connections. */
  close: () => Promise<void>;
}

const maxConnections = 5_000;

export async function startApi(options: StartOptions): Promise<RunningApi> {
  let draining = false;
  let closing = false;
  const listener = createListener({
    ...options,
    draining: () => draining || options.draining(),
    closing: () => closing || options.closing?.() === true,
  });
  const requestTimeout = options.requestTimeoutMs ?? 14_000;
  const limits = {
    maxHeaderSize: 16_384,
    headersTimeout: Math.min(10_000, requestTimeout),
    requestTimeout,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 75_000, // longer than the minute of most load balancers: who closes first decides who meets a reset
    requireHostHeader: false, // answered in framing.ts, with a body
  };
  const server = createServer(limits, listener);
  server.maxConnections = maxConnections;
  server.setTimeout(options.silenceMs ?? 30_000); // ends a client that does not read its answer; a slow one moves
  server.on('checkExpectation', listener); // RFC 9110 lets us ignore it; Node's own 417 is no problem document
  server.on('clientError', answerUnreadable(options.emit));
  const port = await listen(server, options.host, options.port);
  return {
    url: `http://${shownHost(options.host)}:${port}`,
    port,
    async close() {
      draining = true;
      // A load balancer learns of it by asking, and sends requests until then: they are answered as ever.
      if (options.drainMs !== undefined) await setTimeout(options.drainMs);
      closing = true;
      await closeServer(server);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why =
        'code' in cause && cause.code === 'EADDRINUSE' ? 'the port is in use' : toError(cause).message;
      const todo = 'stop what listens there or set STORYTIME_API_PORT';
      reject(new Error(`starting the API failed: ${why} (${host}:${port}); ${todo}`, { cause }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** A connection that turns idle after its last answer would keep the server open for its keep-alive time: it is closed. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const broom = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearInterval(broom);
      resolve();
    });
  });
}
