// Servers that stand in for each other, real ones on loopback with short timeouts: a Redis Cluster of three masters and three
// replicas, or a master, its replica and three Sentinels. A test kills the master and looks at who takes over.
import { execFileSync } from 'node:child_process';
import { prefix } from '../../engine/types.ts';
import { freePort } from '../../ledger/embedded/port.ts';
import { eventually } from './house.ts';
import { startRedis, type TestRedis } from './redis.ts';

export type GroupKind = 'sentinel' | 'cluster';

export interface RedisGroup {
  /** For REDIS_URL. */
  url: string;
  /** All servers that can hold jobs. */
  nodes: readonly TestRedis[];
  sentinels: readonly TestRedis[];
  /** The server that holds the jobs now; undefined while nobody is known to. */
  master: () => TestRedis | undefined;
  /** From now on nothing reaches the replicas of the server that holds the jobs: each keeps what it has. */
  cutReplicas: () => void;
  stop: () => Promise<void>;
}

/** How long a server is silent before the others count it as gone. */
const silenceMs = '1500';
/** A replica has its first copy at once, instead of after the five seconds in which others may join. */
const durable = ['--appendonly', 'yes', '--repl-diskless-sync-delay', '0'];
const masterName = 'mymaster';
/** About five seconds. */
export async function startGroup(kind: GroupKind): Promise<RedisGroup> {
  return kind === 'cluster' ? startCluster() : startSentinels();
}

async function startCluster(): Promise<RedisGroup> {
  const nodes: TestRedis[] = [];
  for (let node = 0; node < 6; node += 1) {
    const bus = String((await freePort(0)) ?? 0);
    const timeout = ['--cluster-port', bus, '--cluster-node-timeout', silenceMs];
    nodes.push(await startRedis({ args: ['--cluster-enabled', 'yes', ...timeout, ...durable] }));
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync('redis-cli', [
    '--cluster',
    'create',
    ...addresses,
    '--cluster-replicas',
    '1',
    '--cluster-yes',
  ]);
  await eventually('the cluster is whole', () =>
    nodes.every((node) => ask(node, 'CLUSTER', 'INFO').includes('cluster_state:ok') && isInStep(node)),
  );
  const slot = Number(ask(nodes[0], 'CLUSTER', 'KEYSLOT', prefix));
  const url = `redis+cluster://${addresses.slice(0, 3).join(',')}`;
  return groupOf(url, nodes, [], (node) => holdsSlot(ask(node, 'CLUSTER', 'NODES'), slot));
}

async function startSentinels(): Promise<RedisGroup> {
  const master = await startRedis({ args: durable });
  const replicaOf = ['--replicaof', '127.0.0.1', String(master.port)];
  const replica = await startRedis({ args: [...durable, ...replicaOf] });
  await eventually('the replica has its copy', () => isInStep(replica));
  const sentinel = [
    `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${masterName} ${silenceMs}`,
    `sentinel failover-timeout ${masterName} 5000`,
    '',
  ].join('\n');
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedis({ sentinel })));
  await eventually('the Sentinels know each other and the replica', () =>
    sentinels.every((one) => {
      const seen = ask(one, 'INFO', 'SENTINEL');
      return seen.includes('status=ok') && seen.includes('slaves=1,sentinels=3');
    }),
  );
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  const url = `redis+sentinel://${addresses.join(',')}/${masterName}`;
  return groupOf(url, [master, replica], sentinels, (node) => isMaster(ask(node, 'ROLE')));
}

function groupOf(
  url: string,
  nodes: readonly TestRedis[],
  sentinels: readonly TestRedis[],
  holdsJobs: (node: TestRedis) => boolean,
): RedisGroup {
  const master = (): TestRedis | undefined => nodes.find((node) => isAlive(node) && holdsJobs(node));
  return {
    url,
    nodes,
    sentinels,
    master,
    cutReplicas() {
      ask(master(), 'ACL', 'SETUSER', 'default', '-psync', '-sync');
      ask(master(), 'CLIENT', 'KILL', 'TYPE', 'replica');
    },
    stop: async () => void (await Promise.all([...sentinels, ...nodes].map((node) => node.stop()))),
  };
}

function isAlive({ pid }: TestRedis): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** One command of a server, as text. */
export function ask(node: TestRedis | undefined, ...command: string[]): string {
  return execFileSync('redis-cli', ['-p', String(node?.port), ...command], {
    encoding: 'utf8',
    timeout: 5_000,
  });
}

function isMaster(role: string): boolean {
  return role.startsWith('master');
}

/** In a node's own words, on its own line: `<id> <address> myself,master - 0 0 1 connected 0-5460`. */
function holdsSlot(lines: string, slot: number): boolean {
  const own = lines.split('\n').find((line) => line.includes('myself,master')) ?? '';
  return [...own.matchAll(/ (\d+)-(\d+)/g)].some(
    ([, first, last]) => Number(first) <= slot && slot <= Number(last),
  );
}

/** A replica without its copy could not take over. */
function isInStep(node: TestRedis): boolean {
  return !ask(node, 'INFO', 'REPLICATION').includes('master_link_status:down');
}
