// The sandbox: one HTTP server with a path prefix per vendor, one SMTP server, one bill, one list of faults.
// Everything it keeps is in `dataDir`, so links and the bill outlive a restart. close() also ends hanging connections.
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { shownHost } from '../shared/addresses.ts';
import { billRoutes, openBill } from './bill.ts';
import { callRoutes, openCalls } from './calls.ts';
import { assemble, type Cast } from './emulators.ts';
import { faultRoutes, openFaults } from './faults.ts';
import { exchange, type Delivery } from './frame-exchange.ts';
import { deliver, readRequest } from './frame-wire.ts';
import {
  findRoute,
  type Answer,
  type Route,
  type SandboxKeys,
  type SandboxRequest,
  type World,
} from './frame.ts';
import { isKnownHost } from './known-host.ts';
import { indexPage } from './server-index.ts';

export interface SandboxOptions {
  /** Made when missing. */
  dataDir: string;
  /** 0 or left out: a free port. */
  port?: number;
  smtpPort?: number;
  /** Left out: loopback only. */
  host?: string;
  /** A name that others reach it by, beside `host`: its own pages are shown under no other. */
  knownAs?: string;
  keys: SandboxKeys;
  log?: World['log'];
}

export interface Sandbox {
  /** `http://127.0.0.1:4010`; a vendor's base address is this plus its prefix. */
  url: string;
  /** `smtp://user:password@127.0.0.1:2525` */
  smtpUrl: string;
  port: number;
  smtpPort: number;
  close: () => Promise<void>;
}

interface House {
  world: World;
  cast: Cast;
  routes: Route[];
  /** Names that its pages may be asked for by. */
  names: string[];
  closing: AbortSignal;
}

const nothingHere: Answer = {
  status: 404,
  body: { error: 'there is nothing here: unknown path; see / for the list' },
};

const unknownName: Answer = {
  status: 403,
  body: {
    error: 'the sandbox does not know the name in the Host header; use its address or STORYTIME_SANDBOX_URL',
  },
};

async function answerTo(req: SandboxRequest, house: House): Promise<Delivery> {
  const { cast } = house;
  const emulator = cast.emulators.find(
    ({ prefix }) => req.path === prefix || req.path.startsWith(`${prefix}/`),
  );
  if (emulator) {
    const inside = { ...req, path: req.path.slice(emulator.prefix.length) || '/' };
    return exchange(emulator, inside, house.world, house.closing);
  }
  if (!isKnownHost(req.headers.host, house.names)) return { how: 'whole', answer: unknownName };
  const found = findRoute(house.routes, req.method, req.path);
  const answer = found ? await found.route.accept({ ...req, params: found.params }) : nothingHere;
  return { how: 'whole', answer };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  opened: Promise<House>,
): Promise<void> {
  const house = await opened.catch(() => undefined);
  if (!house) return; // startSandbox itself reports why, and closes this connection.
  try {
    const req = await readRequest(message);
    if (!req) {
      response.shouldKeepAlive = false;
      deliver(
        { how: 'whole', answer: { status: 413, body: { error: 'the body is too large' } } },
        message,
        response,
      );
      return;
    }
    deliver(await answerTo(req, house), message, response);
  } catch (error) {
    // The caller hung up, the sandbox is closing, or a stand-in has a bug: only the last one is news.
    if (message.destroyed && !message.complete) return;
    if (house.closing.aborted) return;
    house.world.log('the sandbox failed to answer', { url: message.url, error: String(error) });
    if (!response.headersSent) response.writeHead(500).end();
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, done);
  });
  return (server.address() as AddressInfo).port;
}

async function closeAll(server: Server, house: House, stop: AbortController): Promise<void> {
  stop.abort();
  const closed = new Promise<void>((done) => {
    server.close(() => {
      done();
    });
  });
  server.closeAllConnections();
  await Promise.all([closed, house.cast.mail?.close()]);
  house.world.bill.close();
}

async function furnish(
  world: World,
  mailAt: { host: string; port: number },
  names: string[],
  closing: AbortSignal,
): Promise<House> {
  const cast = await assemble(world, mailAt);
  const index: Route = { method: 'GET', pattern: '/', accept: () => indexPage(world.bill, cast.links) };
  return {
    world,
    cast,
    names,
    closing,
    routes: [
      index,
      ...billRoutes(world.bill),
      ...faultRoutes(world.faults),
      ...callRoutes(world.calls),
      ...cast.pages,
    ],
  };
}

function makeWorld(options: SandboxOptions, url: string): World {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const log = options.log ?? ((): void => undefined);
  return {
    dataDir,
    url,
    keys: options.keys,
    bill: openBill(dataDir),
    faults: openFaults(),
    calls: openCalls(),
    log,
  };
}

/** Resolves when both servers answer; rejects, with nothing left listening, when a port is taken or the folder cannot be written. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const stop = new AbortController();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000 });
  const port = await listen(server, host, options.port ?? 0);
  const shown = shownHost(host);
  const url = `http://${shown}:${port}`;
  try {
    const world = makeWorld(options, url);
    // The vendors' links need the port, so the server listens first; requests that come early wait for the house.
    const names = options.knownAs === undefined ? [host] : [host, options.knownAs];
    const opening = furnish(world, { host, port: options.smtpPort ?? 0 }, names, stop.signal);
    server.on('request', (message, response) => void serve(message, response, opening));
    const house = await opening;
    const smtpPort = house.cast.mail?.port ?? 0;
    const { user, password } = options.keys.smtp;
    const smtpUrl = `smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${shown}:${smtpPort}`;
    return { url, smtpUrl, port, smtpPort, close: () => closeAll(server, house, stop) };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
}
