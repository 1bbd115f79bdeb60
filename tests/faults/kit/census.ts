// What processes hold: open files, memory, connections (I11), and whether they call themselves ready (I10).
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Db } from '../../../ledger/db.ts';
import type { Member } from './fleet.ts';
import type { World } from './world.ts';

export interface Census {
  /** Open file descriptors and resident MB, by member. */
  members: Record<string, { files: number; megabytes: number }>;
  /** Sessions on the row's database that are not the row's own. */
  sessions: number;
}

const countSessions = {
  name: 'census_sessions',
  text: `SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'storytime%'`,
};

export async function takeCensus(members: readonly Member[], db: Db): Promise<Census> {
  const [row] = await db.run<{ count: number }>(countSessions, []);
  const alive = members.filter((member) => member.alive);
  const held = alive.map(({ name, pid }): [string, Census['members'][string]] => [
    name,
    { files: readdirSync(`/proc/${pid}/fd`).length, megabytes: residentMegabytes(pid) },
  ]);
  return { members: Object.fromEntries(held), sessions: row?.count ?? 0 };
}

function residentMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}

/** What all processes of a row hold open at its stores, but for the row itself. */
export async function connectionsOf({
  members,
  db,
  redis,
}: Pick<World, 'members' | 'db' | 'redis'>): Promise<{ sessions: number; redisClients: number }> {
  const { sessions } = await takeCensus(members, db);
  return { sessions, redisClients: redis === undefined ? 0 : await countRedisClients(redis.port) };
}

/** Clients of a Redis. */
export async function countRedisClients(port: number): Promise<number> {
  return (await askRedis(port, 'CLIENT LIST')).split('\n').filter((line) => line.includes('addr=')).length;
}

/** One command of a Redis, as text; resolves with its whole answer. */
export function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(`${command}\r\nQUIT\r\n`));
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.once('error', reject).once('close', () => resolve(answer));
  });
}

/** Status of a member's `path` (default /readyz); 0 when nobody answers within 3 s. `url`: of an api, its base address. */
export async function readiness(
  url: string,
  path = '/readyz',
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  try {
    const answer = await fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(3_000) });
    return { status: answer.status, body: await answer.text() };
  } catch {
    return { status: 0, body: '' };
  }
}

/** Whether a work process's metrics say that it can use this store. */
export async function isUp(url: string, dependency: 'ledger' | 'engine'): Promise<boolean> {
  const { body } = await readiness(url, '/metrics');
  return body.includes(`storytime_dependency_up{dependency="${dependency}"} 1`);
}

/** What a process has computed since it began; the kernel counts in hundredths of a second. */
export function cpuSeconds(pid: number): number {
  const [user = '0', system = '0'] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) / 100;
}
