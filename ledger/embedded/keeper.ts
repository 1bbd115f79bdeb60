// The process between a parent and its embedded PostgreSQL. It outlives the parent by a moment: when the channel to it
// closes, however it died, the keeper stops the server and exits. It starts the server again if that dies on its own.
// Started by start.ts only; speaks `KeeperMessage` upwards and hears 'stop'.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../shared/errors.ts';
import { openCluster, type Cluster } from './cluster.ts';
import { joinOwners, leaveOwners } from './owners.ts';
import {
  findPostmaster,
  runPostmaster,
  stopPostmaster,
  type Postmaster,
  type StartOptions,
} from './postmaster.ts';

export type KeeperMessage =
  | { type: 'ready'; pid: number; port: number; password: string }
  | { type: 'failed'; message: string }
  | { type: 'log'; line: string };

const ending = new AbortController();
const end = (): void => ending.abort();
process.once('disconnect', end);
process.once('message', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
if (!process.connected) end(); // the parent died before we could listen for it

function tell(message: KeeperMessage): void {
  if (process.connected) process.send?.(message, () => undefined); // the parent may be gone by now: nobody to tell
}

/** Watches the server until the end is asked for; a new one takes the same port, because its address has been given away. */
async function watch(cluster: Cluster, first: Postmaster, options: StartOptions): Promise<void> {
  let pid = first.pid;
  while (!ending.signal.aborted && existsSync(cluster.data)) {
    await delay(250, undefined, { signal: ending.signal }).catch(() => undefined);
    if (ending.signal.aborted || (await findPostmaster(cluster))?.pid === pid) continue;
    tell({
      type: 'log',
      line: `the embedded PostgreSQL (process ${pid}) ended on its own; starting it again`,
    });
    const again = { ...options, pinnedPort: first.port };
    pid = await runPostmaster(cluster, again).then(
      (server) => server.pid,
      (error: unknown) => {
        tell({ type: 'log', line: toError(error).message });
        return 0;
      },
    );
  }
}

async function keep(root: string, options: StartOptions): Promise<void> {
  const cluster = await openCluster(root);
  const owners = join(root, 'owners');
  await joinOwners(owners);
  try {
    const server = await runPostmaster(cluster, options);
    tell({ type: 'ready', ...server, password: cluster.password });
    await watch(cluster, server, options);
  } finally {
    if (await leaveOwners(owners)) await stopPostmaster(cluster);
  }
}

const { dataDir, ...options } = JSON.parse(process.argv[2] ?? '{}') as StartOptions & { dataDir: string };
try {
  await keep(dataDir, options);
} catch (error) {
  tell({ type: 'failed', message: toError(error).message });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
