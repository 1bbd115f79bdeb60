// Which ports a system takes. A port somebody chose is theirs or an error; a default one that is taken gives way to a free one.
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from './exit.ts';

export interface PortWish {
  /** The setting's name, for the message. */
  setting: string;
  port: number;
  /** Whether somebody asked for this very port. */
  chosen: boolean;
}

export interface PortOptions {
  host: string;
  /** How long to wait for a wanted port: the processes of a killed `up` need a moment to leave theirs. */
  patienceMs: number;
}

/** A port nobody listens on, the wanted one when possible. */
export async function findPort(wish: PortWish, { host, patienceMs }: PortOptions): Promise<number> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const port = await tryPort(host, wish.port);
    if (port !== undefined) return port;
    if (performance.now() >= end) break;
    await delay(100);
  }
  if (wish.chosen)
    throw new CliError(
      'wrongUse',
      `port ${wish.port} (${wish.setting}) cannot be used: something listens on it; stop that, or choose another port`,
    );
  const free = await tryPort(host, 0);
  if (free === undefined) throw new CliError('failed', `no port is free on ${host}`);
  return free;
}

function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if ('code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) resolve(undefined);
      else reject(error);
    });
    server.listen(port, host, () => {
      const found = (server.address() as AddressInfo).port;
      server.close(() => resolve(found));
    });
  });
}
