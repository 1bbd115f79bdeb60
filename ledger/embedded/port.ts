// The loopback port of an embedded server: the same one after every restart as long as nobody else has taken it.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** The asked port, else the remembered one, else any; a port that is taken gives way to a free one. */
export async function choosePort(root: string, asked?: number): Promise<number> {
  const remembered = Number(await readFile(join(root, 'port'), 'utf8').catch(() => '0')) || 0;
  const wanted = asked ?? remembered;
  return (await freePort(wanted)) ?? (await freePort(0)) ?? 0;
}

export async function rememberPort(root: string, port: number): Promise<void> {
  await writeFile(join(root, 'port'), String(port), { mode: 0o600 });
}

/** The port if it can be listened on (0: any free one), else undefined. */
export async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ port, host: '127.0.0.1', exclusive: true }), 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
