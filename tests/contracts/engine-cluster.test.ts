// Covers: engine/redis.ts, engine/redis-owner.ts, engine/redis-reason.ts
// The same suite on a Redis Cluster of six nodes, where a script that touches keys of two slots is refused; and a replica that
// takes over.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { slotOfJobs } from '../../engine/redis-owner.ts';
import { prefix } from '../../engine/types.ts';
import { ask, startGroup, type RedisGroup } from '../support/redis-groups.ts';
import { engineCases } from './engine-cases.ts';
import { redisGroupCases } from './redis-group-cases.ts';

let cluster: RedisGroup;
beforeAll(async () => {
  cluster = await startGroup('cluster');
}, 60_000);
afterAll(async () => {
  await cluster.stop();
});

test('the slot that is watched is the one that everything is in', () => {
  for (const key of [prefix, `${prefix}:play:delayed`])
    expect(ask(cluster.master(), 'CLUSTER', 'KEYSLOT', key).trim()).toBe(String(slotOfJobs));
});

describe('a cluster', () => {
  engineCases('redis-cluster', () => cluster.url);
});

describe('a cluster that loses a master', () => {
  redisGroupCases('redis-cluster', 'Redis Cluster', () => cluster);
});
