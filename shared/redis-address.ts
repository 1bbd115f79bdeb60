// The address of Redis as REDIS_URL holds it: one server, Sentinels that know the master, or nodes of a cluster. Pure.

export interface RedisAddress {
  mode: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or some nodes of the cluster: at least one. */
  hosts: readonly { host: string; port: number }[];
  tls: boolean;
  username?: string;
  password?: string;
  /** Database number; a cluster has 0 alone. */
  db: number;
  /** What the Sentinels call the master. */
  master: string;
  /** The Sentinels' own password, when they have one. */
  sentinelPassword?: string;
}

const form =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^@/]*)@)?(?<hosts>[^/?]+)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;
const hostForm = /^(?<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?<port>\d{1,5}))?$/i;

/** Undefined when it is no address of Redis. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const found = form.exec(text)?.groups;
  if (found === undefined) return undefined;
  const mode = (found['kind'] ?? 'single') as RedisAddress['mode'];
  const hosts = parseHosts(found['hosts'] ?? '', mode);
  const place = parsePath(mode, found['path'] ?? '');
  const login = parseLogin(found['user'] ?? '');
  if (hosts === undefined || place === undefined || login === undefined) return undefined;
  return { mode, hosts, tls: found['scheme'] === 'rediss', ...login, ...place, ...sentinelLogin(found) };
}

function sentinelLogin({
  query,
}: Record<string, string | undefined>): Pick<RedisAddress, 'sentinelPassword'> {
  const sentinelPassword = new URLSearchParams(query).get('sentinelPassword');
  return sentinelPassword === null ? {} : { sentinelPassword };
}

function parseHosts(list: string, mode: RedisAddress['mode']): RedisAddress['hosts'] | undefined {
  const defaultPort = mode === 'sentinel' ? '26379' : '6379';
  const found = list.split(',').map((one) => hostForm.exec(one)?.groups);
  if (mode === 'single' && found.length > 1) return undefined;
  const hosts = found.map((one) => ({
    host: one?.['host']?.replaceAll(/[[\]]/g, '') ?? '',
    port: Number(one?.['port'] ?? defaultPort),
  }));
  return hosts.every(({ host, port }) => host !== '' && port > 0 && port < 65_536) ? hosts : undefined;
}

/** `/0`, `/mymaster`, `/mymaster/0`; a cluster knows no other database than 0. */
function parsePath(
  mode: RedisAddress['mode'],
  path: string,
): Pick<RedisAddress, 'db' | 'master'> | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const master = mode === 'sentinel' ? parts.shift() : undefined;
  const [db = '0', ...rest] = parts;
  if (!/^\d{1,3}$/.test(db) || rest.length > 0 || (mode === 'cluster' && db !== '0')) return undefined;
  return { db: Number(db), master: master ?? 'mymaster' };
}

function parseLogin(user: string): Pick<RedisAddress, 'username' | 'password'> | undefined {
  const [name = '', ...secret] = user.split(':');
  try {
    const [username, password] = [name, secret.join(':')].map(decodeURIComponent);
    return { ...(username && { username }), ...(password && { password }) };
  } catch {
    return undefined; // a stray % in it
  }
}
