// The dashboard as a server: listens, tells its address, ends within a moment even while browsers hold connections.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { shownHost } from '../shared/addresses.ts';
import { createDashboard, type DashboardDeps } from './app.ts';

export interface DashboardOptions extends DashboardDeps {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** How long a connection may go without a byte in either direction, in ms; default 30 s. */
  silenceMs?: number;
}

export interface Dashboard {
  /** `http://127.0.0.1:4001` */
  url: string;
  port: number;
  close: () => Promise<void>;
}

/** Rejects when the port is taken. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 75_000, maxHeaderSize: 16_384 },
    createDashboard(options),
  );
  server.maxConnections = 200;
  server.setTimeout(options.silenceMs ?? 30_000); // ends a browser that does not read its answer; a slow one moves
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${options.host}:${options.port}`;
      const todo = 'stop what listens there or set STORYTIME_DASHBOARD_PORT';
      reject(new Error(`starting the dashboard failed: ${cause.message} (${where}); ${todo}`, { cause }));
    });
    server.listen(options.port, options.host, resolve);
  });
  const { port, address } = server.address() as AddressInfo;
  return {
    url: `http://${shownHost(address)}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
}
