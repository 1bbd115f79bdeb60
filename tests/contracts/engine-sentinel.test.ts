// Covers: engine/redis.ts, engine/redis-reason.ts
// The same suite on a master whose address only its Sentinels know, and with the first of them standing still; and a replica
// that takes over.
import { afterAll, beforeAll, describe } from '@jest/globals';
import { startGroup, type RedisGroup } from '../support/redis-groups.ts';
import { engineCases } from './engine-cases.ts';
import { redisGroupCases } from './redis-group-cases.ts';

let watched: RedisGroup;
beforeAll(async () => {
  watched = await startGroup('sentinel');
  watched.sentinels[0]?.pause();
}, 60_000);
afterAll(async () => {
  await watched.stop();
});

describe('Sentinel', () => {
  engineCases('redis-sentinel', () => watched.url);
});

describe('Sentinel that loses its master', () => {
  redisGroupCases('redis-sentinel', 'Redis behind Sentinel', () => watched);
});
