// Covers: cli/eviction.ts, cli/doctor-redis.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisVerdicts } from '../../cli/doctor-redis.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startProcess } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { say } from './world.ts';

let database: TestDatabase;
let redis: TestRedis;
let folder: string;
beforeAll(async () => {
  const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'];
  [database, redis, folder] = await Promise.all([createDatabase(), startRedis({ args }), createFolder()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), redis.stop(), removeFolder(folder)]);
});

const env = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  DATABASE_URL: database.url,
  REDIS_URL: redis.url,
  STORYTIME_HOME: folder,
  STORYTIME_SANDBOX: 'on',
  STORYTIME_WORK_PORT: '0',
  STORYTIME_LINK_SECRET: 'a-secret-of-the-tests-0123456789-abcdef',
  STORYTIME_PUBLIC_URL: 'https://jobs.example',
  ...more,
});

test('in production a work process does not run on a Redis that may throw jobs away, and elsewhere it warns', async () => {
  const args = ['dist/cli/main.js', 'work'];
  const refused = startProcess(args, { env: env({ NODE_ENV: 'production' }) });
  const [code] = (await once(refused.child, 'close')) as [number];
  expect([code, refused.output()]).toEqual([
    2,
    expect.stringContaining('its maxmemory-policy is allkeys-lru; set it to noeviction'),
  ]);
  const warned = startProcess(args, { env: env() });
  await warned.says('its maxmemory-policy is allkeys-lru');
  await warned.says('work is ready');
  expect(await warned.end('SIGTERM')).toBe(0);
});

test('the doctor sees the policy, the missing file and the room', async () => {
  const { out } = await say(['doctor', '--json'], env());
  const { checks } = JSON.parse(out) as { checks: { check: string; status: string }[] };
  const status = Object.fromEntries(checks.map((verdict) => [verdict.check, verdict.status]));
  expect(status).toMatchObject({
    engine: 'ok',
    'redis eviction': 'warn',
    'redis persistence': 'warn',
    'redis memory': 'ok',
  });
  const client = new Redis(redis.url);
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  client.disconnect();
  const again = await say(['doctor', '--json'], env());
  expect(again.out).toContain('{"check":"redis eviction","status":"ok","detail":"noeviction"}');
});

test('what is dangerous in production fails there', () => {
  const facts = {
    usedBytes: 0,
    limitBytes: 0,
    evictionPolicy: 'noeviction',
    appendOnly: true,
    lastSaveOk: true,
  };
  const statuses = (change: Partial<typeof facts>) =>
    redisVerdicts({ ...facts, ...change }, true).map(({ status }) => status);
  expect(statuses({})).toEqual(['ok', 'ok', 'ok']);
  expect(statuses({ evictionPolicy: 'volatile-lru' })).toEqual(['fail', 'ok', 'ok']);
  expect(statuses({ evictionPolicy: '' })).toEqual(['warn', 'ok', 'ok']);
  expect(statuses({ lastSaveOk: false })).toEqual(['ok', 'fail', 'ok']);
  expect(statuses({ usedBytes: 80, limitBytes: 100 })).toEqual(['ok', 'ok', 'warn']);
  expect(statuses({ usedBytes: 95, limitBytes: 100 })).toEqual(['ok', 'ok', 'fail']);
});
