// A Redis Cluster of three masters and three replicas: real servers on loopback with short timeouts.
import { execFileSync } from 'node:child_process';
import { freePort } from '../../ledger/embedded/port.ts';
import { eventually } from './house.ts';
import { startRedis, type TestRedis } from './redis.ts';

export interface RedisGroup {
  /** For REDIS_URL. */
  url: string;
  stop: () => Promise<void>;
}

/** A replica has its first copy at once, instead of after the five seconds in which others may join. */
const durable = ['--appendonly', 'yes', '--repl-diskless-sync-delay', '0'];

/** About five seconds. */
export async function startCluster(): Promise<RedisGroup> {
  const nodes: TestRedis[] = [];
  for (let node = 0; node < 6; node += 1) {
    const bus = String((await freePort(0)) ?? 0);
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      bus,
      '--cluster-node-timeout',
      '1500',
      ...durable,
    ];
    nodes.push(await startRedis({ args }));
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
    nodes.every((node) => ask([node], 'CLUSTER', 'INFO').includes('cluster_state:ok') && isInStep(node)),
  );
  return {
    url: `redis+cluster://${addresses.slice(0, 3).join(',')}`,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

function ask([node]: readonly TestRedis[], ...command: string[]): string {
  return execFileSync('redis-cli', ['-p', String(node?.port), ...command], { encoding: 'utf8' });
}

/** A replica without its copy could not take over. */
function isInStep(node: TestRedis): boolean {
  return !ask([node], 'INFO', 'REPLICATION').includes('master_link_status:down');
}
