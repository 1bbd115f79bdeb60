// The stores of a bench run: an embedded PostgreSQL with fsync on and a redis-server with AOF everysec, both thrown away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateEngine } from '../engine/schema.ts';
import { freePort } from '../ledger/embedded/port.ts';
import { startEmbeddedPostgres } from '../ledger/embedded/start.ts';
import { migrate } from '../ledger/migrate.ts';

export interface Stores {
  databaseUrl: string;
  redisUrl: string;
  stop: () => Promise<void>;
}

export async function startStores(): Promise<Stores> {
  const folder = await mkdtemp(join(tmpdir(), 'storytime-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await migrate(postgres.url);
  await migrateEngine(postgres.url);
  const port = (await freePort(0)) ?? 0;
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
  ];
  const redis = spawn('redis-server', settings, { stdio: 'ignore' });
  await once(redis, 'spawn');
  while (!(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    databaseUrl: postgres.url,
    redisUrl: `redis://127.0.0.1:${port}`,
    async stop() {
      redis.kill('SIGTERM');
      await once(redis, 'exit');
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
