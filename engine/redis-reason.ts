// Why an address of Redis cannot be used, in words that say what to change: ioredis tells it behind its own, and an address of
// the wrong kind behind a command that nobody has heard of. What Redis itself says is left as it is: its first word is read.
import { toError } from '../shared/errors.ts';
import type { RedisAddress } from '../shared/redis-address.ts';

const single = 'write REDIS_URL=redis://host:port';
const cluster = 'write REDIS_URL=redis+cluster://host:port,host:port';
const sentinel = 'write REDIS_URL=redis+sentinel://host:port,host:port/name-of-the-master';

/** What a server says of itself in INFO that a plain client must not be on; undefined when it may. */
export function misfitOf(info: string): string | undefined {
  if (info.includes('redis_mode:sentinel')) return `this is a Sentinel and holds no jobs; ${sentinel}`;
  // A plain client would meet MOVED at most keys, and would look well at the others.
  if (info.includes('cluster_enabled:1')) return `this Redis is a node of a cluster; ${cluster}`;
  return undefined;
}

export function connectReason(thrown: unknown, address: Pick<RedisAddress, 'mode' | 'master'>): Error {
  const error = innermost(toError(thrown));
  const message = reword(error.message, address);
  return message === error.message ? error : new Error(message, { cause: error });
}

/** ioredis hides why a cluster cannot be used behind "Failed to refresh slots cache". */
function innermost(error: Error): Error {
  return 'lastNodeError' in error && error.lastNodeError !== undefined ? toError(error.lastNodeError) : error;
}

function reword(message: string, { mode, master }: Pick<RedisAddress, 'mode' | 'master'>): string {
  if (/^NOPERM .*'info'/i.test(message))
    return 'this user of Redis may not ask INFO, which BullMQ needs; allow it with +info';
  if (mode === 'single') return message;
  return mode === 'cluster' ? rewordCluster(message) : rewordSentinel(message, master);
}

function rewordCluster(message: string): string {
  if (/cluster support disabled|unknown command .cluster/i.test(message))
    return `there is no node of a cluster at this address; ${single}`;
  return message === 'Connection is closed.' ? 'no node of the cluster answers' : message;
}

function rewordSentinel(message: string, master: string): string {
  if (/no such master/i.test(message)) return `the Sentinels know no master named ${master}; ${sentinel}`;
  if (/unknown command .sentinel/i.test(message)) return `there is no Sentinel at this address; ${single}`;
  const last = /^All sentinels are unreachable.*?Last error: (?<last>.*)$/s.exec(message)?.groups?.['last'];
  return last === undefined ? message : `no Sentinel answers: ${last}`;
}
