// Covers: engine/redis.ts
// The same suite on a Redis Cluster of six nodes, where a script that touches keys of two slots is refused.
import { afterAll, beforeAll, describe } from '@jest/globals';
import { startCluster, type RedisGroup } from '../support/redis-groups.ts';
import { engineCases } from './engine-cases.ts';

let cluster: RedisGroup;
beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);
afterAll(async () => {
  await cluster.stop();
});

describe('a cluster', () => {
  engineCases('redis-cluster', () => cluster.url);
});
