// Which ports a system takes, and what its parts are told.
// Covers: cli/ports.ts
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findPort } from '../../cli/ports.ts';
import { choosePorts, needsSandbox, partEnvironment, withOptions } from '../../cli/up-plan.ts';
import { loadConfig, type Environment } from '../../shared/config.ts';

let taken: Server;
let port: number;
beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  ({ port } = taken.address() as AddressInfo);
});
afterAll(() => void taken.close());

const here = { host: '127.0.0.1', patienceMs: 0 };

test('a port that somebody chose is theirs or an error; a default one gives way', async () => {
  const wish = { setting: 'STORYTIME_API_PORT', port };
  await expect(findPort({ ...wish, chosen: true }, here)).rejects.toThrow(
    `port ${port} (STORYTIME_API_PORT) cannot be used: something listens on it`,
  );
  expect(await findPort({ ...wish, chosen: false }, here)).not.toBe(port);
});

test('a wanted port that is left in time is taken', async () => {
  const leaving = createServer();
  await new Promise<void>((resolve) => leaving.listen(0, '127.0.0.1', resolve));
  const wanted = (leaving.address() as AddressInfo).port;
  const found = findPort(
    { setting: 'STORYTIME_API_PORT', port: wanted, chosen: true },
    { ...here, patienceMs: 5_000 },
  );
  leaving.close();
  expect(await found).toBe(wanted);
});

const plan = (env: Environment, options: { port?: number } = {}) =>
  choosePorts(loadConfig(env), env, options, 0);

test('--port moves the whole system, but no setting that somebody chose', async () => {
  const first = 21_000 + (process.pid % 1_000) * 10;
  expect(await plan({ STORYTIME_SANDBOX_PORT: String(first + 9) }, { port: first })).toEqual({
    STORYTIME_API_PORT: first,
    STORYTIME_DASHBOARD_PORT: first + 1,
    STORYTIME_SANDBOX_PORT: first + 9,
    STORYTIME_SANDBOX_SMTP_PORT: first + 3,
    STORYTIME_WORK_PORT: first + 4,
  });
  await expect(plan({}, { port })).rejects.toThrow(`port ${port}`);
  const free = await plan({}, { port: 0 });
  expect(new Set(Object.values(free)).size).toBe(5);
});

test('no two parts get one port: a default gives way to a chosen one, and two chosen ones are told', async () => {
  const first = 41_000 + (process.pid % 1_000) * 10;
  const api = loadConfig({}).STORYTIME_DASHBOARD_PORT;
  const ports = await plan({ STORYTIME_API_PORT: String(api) }, {});
  expect(ports.STORYTIME_API_PORT).toBe(api);
  expect(new Set(Object.values(ports)).size).toBe(5);
  const both = { STORYTIME_API_PORT: String(first), STORYTIME_WORK_PORT: String(first) };
  await expect(plan(both, {})).rejects.toThrow(
    `STORYTIME_WORK_PORT and STORYTIME_API_PORT are both ${first}; give each a port of its own`,
  );
});

const secrets = { databaseUrl: 'postgres://u:p@127.0.0.1:5/x', linkSecret: 's'.repeat(32) };

test('no setting makes a part stop later than the system waits for it', async () => {
  const ports = await plan({}, { port: 0 });
  const graceOf = (STORYTIME_GRACE_MS: string): number => {
    const env = { STORYTIME_GRACE_MS };
    return loadConfig(partEnvironment(loadConfig(env), env, ports, secrets)).STORYTIME_GRACE_MS;
  };
  expect([graceOf('20000'), graceOf('1000')]).toEqual([4_500, 1_000]);
  const env = { STORYTIME_DRAIN_MS: '10000' };
  expect(loadConfig(partEnvironment(loadConfig(env), env, ports, secrets)).STORYTIME_DRAIN_MS).toBe(0);
});

test('a blank address of the sandbox is not set: the parts are told the real one', async () => {
  const env = { STORYTIME_SANDBOX_URL: '', STORYTIME_SANDBOX_SMTP_URL: ' ' };
  const ports = await plan(env, { port: 0 });
  const part = loadConfig(partEnvironment(loadConfig(env), env, ports, secrets));
  expect(part.STORYTIME_SANDBOX_URL).toBe(`http://127.0.0.1:${ports.STORYTIME_SANDBOX_PORT}`);
  expect(part.STORYTIME_SANDBOX_SMTP_URL).toBe(`smtp://127.0.0.1:${ports.STORYTIME_SANDBOX_SMTP_PORT}`);
});

test('the parts are told where everything is, and the environment can start each of them by itself', async () => {
  const config = loadConfig({ STORYTIME_LEASE_MS: '20000' });
  const ports = await plan({}, { port: 0 });
  const env = partEnvironment(config, { STORYTIME_LEASE_MS: '20000', HOME: '/root' }, ports, secrets);
  const part = loadConfig(env);
  expect(part).toMatchObject({
    ...ports,
    STORYTIME_LEASE_MS: 20_000,
    DATABASE_URL: 'postgres://u:p@127.0.0.1:5/x',
  });
  expect(part.STORYTIME_SANDBOX_URL).toBe(`http://127.0.0.1:${ports.STORYTIME_SANDBOX_PORT}`);
  expect(part.STORYTIME_GRACE_MS).toBeLessThan(10_000);
  expect(env['HOME']).toBe('/root');
});

test('a system that is opened to the network keeps its sandbox, which has no login, on loopback', async () => {
  const env = { STORYTIME_HOST: '0.0.0.0' };
  expect(loadConfig(env).STORYTIME_SANDBOX_HOST).toBe('127.0.0.1');
  const there = { STORYTIME_HOST: '192.0.2.1', STORYTIME_SANDBOX_HOST: '::1' };
  const part = partEnvironment(loadConfig(there), there, await plan({}, { port: 0 }), secrets);
  expect(part['STORYTIME_SANDBOX_URL']).toMatch(/^http:\/\/\[::1\]:\d+$/);
  const sandboxElsewhere = { STORYTIME_SANDBOX_HOST: '192.0.2.1' };
  await expect(plan(sandboxElsewhere)).rejects.toThrow('192.0.2.1');
});

test('without the sandbox every key must be there, unless another sandbox was named', () => {
  const without = { sandbox: false };
  expect(() => loadConfig(withOptions({}, without))).toThrow('SMTP_URL is missing');
  const elsewhere = withOptions({ STORYTIME_SANDBOX_URL: 'http://10.0.0.1:4002' }, without);
  expect(needsSandbox(loadConfig(elsewhere), without)).toBe(false);
  expect(needsSandbox(loadConfig({}), {})).toBe(true);
});
