// The doctor: every problem told at once, each with what to do, and nothing judged that is not so.
// Covers: cli/doctor-checks.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import * as checks from '../../cli/doctor-checks.ts';
import { loadConfig } from '../../shared/config.ts';
import { openDb } from '../../ledger/db.ts';
import { tripGates } from '../../ledger/gates.ts';
import type { ServerFacts } from '../../ledger/server-facts.ts';
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { say, type Said } from './world.ts';

let ready: TestDatabase;
let empty: TestDatabase;
let folder: string;
beforeAll(async () => {
  [ready, empty, folder] = await Promise.all([createDatabase(), createEmptyDatabase(), createFolder()]);
});
afterAll(async () => {
  await Promise.all([ready.drop(), empty.drop(), removeFolder(folder)]);
});

const nowhere = 'http://127.0.0.1:1';

async function examine(env: Record<string, string>): Promise<Said & { status: Record<string, string> }> {
  const said = await say(['doctor', '--json'], {
    STORYTIME_HOME: folder,
    STORYTIME_SANDBOX_URL: nowhere,
    STORYTIME_SANDBOX_SMTP_URL: 'smtp://127.0.0.1:1',
    ...env,
  });
  const { checks: verdicts } = JSON.parse(said.out) as { checks: { check: string; status: string }[] };
  return { ...said, status: Object.fromEntries(verdicts.map(({ check, status }) => [check, status])) };
}

const healthy = {
  database: 'ok',
  migrations: 'ok',
  clock: 'ok',
  connections: 'ok',
  synchronous_commit: 'ok',
  gates: 'ok',
  engine: 'ok',
};
const awaySandbox = {
  gemini: 'warn',
  elevenlabs: 'warn',
  deepgram: 'warn',
  cloudinary: 'warn',
  smtp: 'warn',
};

test('a prepared database is healthy, and a sandbox that does not run yet is only a warning', async () => {
  const { code, status, out } = await examine({ DATABASE_URL: ready.url });
  expect(status).toEqual({ configuration: 'ok', ...healthy, ...awaySandbox });
  expect(code).toBe(0);
  expect(out).toMatch(/^\{"schema":1,"ok":true,/);
});

test('a database without tables fails where it matters and says how to get them', async () => {
  const { code, status, out } = await examine({ DATABASE_URL: empty.url });
  const { gates: _gates, ...ofOthers } = healthy; // nothing to look at
  expect(status).toMatchObject({ ...ofOthers, migrations: 'fail', engine: 'fail' });
  expect(status).not.toHaveProperty('gates');
  expect([code, out]).toEqual([1, expect.stringContaining('storytime migrate')]);
});

test('an unreachable database, an unreachable engine and a refused provider are told in one go', async () => {
  const { code, status } = await examine({
    DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x',
    REDIS_URL: 'redis://127.0.0.1:1',
    STORYTIME_SANDBOX: 'auto',
    SMTP_URL: 'smtp://127.0.0.1:1',
  });
  expect(status).toMatchObject({ database: 'fail', engine: 'fail', smtp: 'fail', gemini: 'warn' });
  expect(code).toBe(1);
  const redis = await examine({ DATABASE_URL: ready.url, REDIS_URL: 'redis://127.0.0.1:1' });
  expect(redis.status).toMatchObject({ database: 'ok', engine: 'fail' });
});

test('where no database is named the doctor makes none, and in production that is a failure', async () => {
  const production = {
    NODE_ENV: 'production',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_LINK_SECRET: 'a-secret-of-the-tests-0123456789',
    STORYTIME_PUBLIC_URL: 'https://jobs.example',
  };
  const refused = await examine(production);
  expect([refused.code, refused.status]).toEqual([1, { configuration: 'fail', ...awaySandbox }]);
  expect(refused.out).toContain('DATABASE_URL is required in production');
  const { code, status } = await examine({});
  expect([code, status]).toEqual([0, { configuration: 'ok', database: 'warn', ...awaySandbox }]);
  expect(await readdir(folder)).toEqual([]);
});

test('a wrong configuration is told completely, and what is right of it is looked at all the same', async () => {
  const { code, out, status } = await examine({
    NODE_ENV: 'production',
    STORYTIME_SANDBOX: 'off',
    STORYTIME_API_PORT: 'x',
    STORYTIME_LINK_SECRET: 'short',
    STORYTIME_HOEM: 'x',
    CLOUDINARY_URL: 'cloudinary://key@cloud',
    SMTP_URL: 'smtp://127.0.0.1:1',
    DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x',
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  const { checks: told } = JSON.parse(out) as { checks: { check: string; detail: string }[] };
  const names = told
    .filter(({ check }) => check === 'configuration')
    .map(({ detail }) => detail.split(' ')[0] ?? '');
  expect(names.toSorted()).toEqual([
    'CLOUDINARY_URL',
    'DEEPGRAM_API_KEY',
    'ELEVENLABS_API_KEY',
    'GEMINI_API_KEY',
    'STORYTIME_API_PORT',
    'STORYTIME_HOEM',
    'STORYTIME_LINK_SECRET',
    'STORYTIME_PUBLIC_URL',
  ]);
  expect(status).toEqual({ configuration: 'fail', database: 'fail', engine: 'fail', smtp: 'fail' });
  expect([code, out]).toEqual([1, expect.not.stringContaining('hunter2')]);
});

test('a mistyped time is told by its name, though without it another one would be too long', async () => {
  const { code, out } = await examine({ STORYTIME_GRACE_MS: '60s', STORYTIME_DRAIN_MS: '30000' });
  const { checks: told } = JSON.parse(out) as { checks: { check: string; detail: string }[] };
  const wrong = told.filter(({ check }) => check === 'configuration').map(({ detail }) => detail);
  expect([code, wrong]).toEqual([1, [expect.stringMatching(/^STORYTIME_GRACE_MS /)]]);
});

test('what a wrong setting would lead to another place is not looked at', async () => {
  const { status } = await examine({
    DATABASE_URL: ready.url,
    REDIS_URL: 'http://r',
    STORYTIME_SANDBOX_URL: 'x',
  });
  const { engine: _engine, connections: _connections, ...ofDatabase } = healthy;
  expect(status).toEqual({ configuration: 'fail', ...ofDatabase, smtp: 'warn' });
  const nowhereToLook = await examine({ DATABASE_URL: 'mysql://x' });
  expect(nowhereToLook.status).toEqual({ configuration: 'fail', ...awaySandbox });
});

test('a closed gate is told with the model that it is of, and is no failure of the system', async () => {
  const own = await createDatabase();
  const db = openDb({ url: own.url, poolSize: 1, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    await tripGates(db, { gates: ['gemini-pictures'], forMs: 60_000, note: 'x', by: 'ada' });
    const { code, status, out } = await examine({ DATABASE_URL: own.url });
    expect([code, status['gates']]).toEqual([0, 'warn']);
    expect(out).toMatch(/"gemini-pictures is closed for \d+ s more \(operator\)"/);
  } finally {
    await db.close();
    await own.drop();
  }
  const over = new Map([['smtp', { open: false, reason: 'auth', waitMs: -1 }]]);
  expect(checks.gates(over).detail).toBe('smtp is looked at again (auth)');
});

const facts: ServerFacts = {
  version: '18.4',
  skewMs: 0,
  maxConnections: 197,
  connections: 5,
  synchronousCommit: 'on',
};

test('a clock two seconds off is a warning and five seconds off a failure, in either direction', () => {
  const verdicts = [0, 1_999, -2_001, 4_999, 5_001, -9_000].map(
    (skewMs) => checks.clock({ ...facts, skewMs }).status,
  );
  expect(verdicts).toEqual(['ok', 'ok', 'warn', 'warn', 'fail', 'fail']);
});

test('a server that has too few connections fails, and one that may lose the commits of others is warned of', () => {
  expect(checks.synchronousCommit({ ...facts, synchronousCommit: 'off' }).status).toBe('warn');
  const config = loadConfig({});
  const verdicts = [197, 75, 40].map(
    (maxConnections) => checks.connections(config, { ...facts, maxConnections }).status,
  );
  expect(verdicts).toEqual(['ok', 'warn', 'fail']);
  expect(
    checks.connections(loadConfig({ REDIS_URL: 'redis://r' }), { ...facts, maxConnections: 40 }).status,
  ).toBe('ok');
});
