// Covers: engine/broker.ts, engine/connect.ts, engine/consume.ts
// One conformance suite for both engines: what the ledger expects of an engine must hold on Redis and on PostgreSQL.
import { afterAll, beforeAll, describe } from '@jest/globals';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { engineCases } from './engine-cases.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
});

describe('engines', () => {
  engineCases('postgres', () => undefined);
  engineCases('redis', () => redis.url);
});
