// Each part as a process of its own, on one database: it starts without the engine, says where it is, and ends in order.
// Covers: cli/api.ts, cli/work.ts, cli/dashboard.ts, cli/sandbox.ts, cli/parts.ts, cli/probes.ts, cli/migrate.ts,
// cli/keys-create.ts
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../client/index.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { say } from './world.ts';

const program = ['--enable-source-maps', 'dist/cli/main.js'];
const noRedis = 'redis://127.0.0.1:1';

let database: TestDatabase;
let folder: string;
let env: Record<string, string>;
const running: TestProcess[] = [];
beforeAll(async () => {
  [database, folder] = await Promise.all([createEmptyDatabase(), createFolder()]);
  const anyPort = ['API', 'DASHBOARD', 'SANDBOX', 'SANDBOX_SMTP', 'WORK'].map((part) => [
    `STORYTIME_${part}_PORT`,
    '0',
  ]);
  env = { DATABASE_URL: database.url, STORYTIME_HOME: join(folder, 'home'), ...Object.fromEntries(anyPort) };
  expect(await say(['migrate'], env)).toMatchObject({ code: 0, out: expect.stringContaining('applied ') });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.end('SIGKILL')));
});
afterAll(async () => {
  await database.drop();
  await removeFolder(folder);
});

/** Starts a part and waits for its line; gives its address. */
async function start(
  args: string[],
  more: Record<string, string> = {},
): Promise<{ part: TestProcess; url: string }> {
  const part = startProcess([...program, ...args], { env: { PATH: process.env['PATH'], ...env, ...more } });
  running.push(part);
  await part.says(`${args[0]} is ready`);
  const url = /"url":"([^"]+)"/.exec(part.output())?.[1] ?? '';
  return { part, url };
}

const statusOf = async (url: string): Promise<number> => (await fetch(url, { redirect: 'manual' })).status;

test('migrating again finds nothing to do, and says so in words or as JSON', async () => {
  expect(await say(['migrate'], env)).toEqual({
    code: 0,
    out: 'Nothing to do: the database is up to date.\n',
    err: '',
  });
  expect(JSON.parse((await say(['migrate', '--json'], env)).out)).toEqual({ schema: 1, applied: [] });
});

test('the API accepts jobs while the engine is away, with a key made on the command line, and stops on SIGTERM', async () => {
  const made = await say(['keys', 'create', '--name', 'main', '--expires', '1h'], env);
  expect(made).toMatchObject({ code: 0, err: 'Keep it now: it is shown this once.\n' });
  const { part, url } = await start(['api'], { REDIS_URL: noRedis });
  expect(await statusOf(`${url}/readyz`)).toBe(200);
  const client = connect({ url, key: made.out.trim() });
  const job = await client.enqueue('generate-story', { childName: 'Ada', age: 6, theme: 'the sea' });
  expect(job).toMatchObject({ state: 'waiting', repeated: false });
  expect(await part.end('SIGTERM')).toBe(0);
});

test('an API that drains is not ready, still accepts, and leaves at once on a second signal', async () => {
  const key = (await say(['keys', 'create', '--name', 'late'], env)).out.trim();
  const { part, url } = await start(['api'], { STORYTIME_DRAIN_MS: '20000' });
  part.child.kill('SIGTERM');
  await eventually('it says so', async () => (await statusOf(`${url}/readyz`)) === 503);
  const client = connect({ url, key });
  expect(
    await client.enqueue('generate-story', { childName: 'Ada', age: 6, theme: 'the sea' }),
  ).toMatchObject({
    state: 'waiting',
  });
  expect(await part.end('SIGINT')).toBe(130);
});

test('a work process of one queue lives and is not ready without the engine, is ready with it, and shows its metrics', async () => {
  const lonely = await start(['work', '--queues', 'email'], { REDIS_URL: noRedis });
  expect(await statusOf(`${lonely.url}/livez`)).toBe(200);
  expect(await statusOf(`${lonely.url}/readyz`)).toBe(503);
  expect(await lonely.part.end('SIGTERM')).toBe(0);

  const { part, url } = await start(['work', '--queues', 'email,reports'], {
    STORYTIME_WORK_HOST: '127.0.0.2',
  });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.2:/);
  await eventually('the engine has answered', async () => (await statusOf(`${url}/readyz`)) === 200);
  expect(await (await fetch(`${url}/readyz?verbose`)).json()).toEqual({
    status: 'ok',
    ledger: true,
    engine: true,
    engineKind: 'postgres',
    engineReason: null,
    held: [],
  });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('storytime_build_info{version=');
  expect(await statusOf(`${url}/nothing`)).toBe(404);
  expect(await part.end('SIGINT')).toBe(0);
});

test('the quarantine lane has one process, which ends by itself when the lane is empty', async () => {
  const times = { STORYTIME_LEASE_MS: '500', STORYTIME_RENEW_MS: '150' };
  const parts = [1, 2].map(() =>
    startProcess([...program, 'work', '--lane'], { env: { PATH: process.env['PATH'], ...env, ...times } }),
  );
  running.push(...parts);
  await eventually('both have left', () => parts.every(({ child }) => child.exitCode !== null));
  expect(parts.map(({ child }) => child.exitCode)).toEqual([0, 0]);
  const said = parts.map((part) => part.output()).join('');
  for (const reason of [
    'stopping: another process has the quarantine lane',
    'stopping: the quarantine lane is empty',
  ])
    expect(said).toContain(reason);
});

test('the dashboard and the sandbox start by themselves', async () => {
  const dashboard = await start(['dashboard'], { REDIS_URL: noRedis });
  expect([await statusOf(`${dashboard.url}/readyz`), await statusOf(`${dashboard.url}/ops`)]).toEqual([
    200, 401,
  ]);
  const sandbox = await start(['sandbox']);
  expect(await statusOf(`${sandbox.url}/mailbox`)).toBe(200);
  expect(await Promise.all([dashboard.part.end('SIGTERM'), sandbox.part.end('SIGTERM')])).toEqual([0, 0]);
});

test('a part whose log nobody reads any more goes on, and is stopped in order', async () => {
  const { part, url } = await start(['api'], { STORYTIME_LOG_LEVEL: 'debug' });
  part.child.stdout?.destroy();
  // A line each: several times what is written at once.
  for (let count = 0; count < 200; count += 1) expect(await statusOf(`${url}/livez`)).toBe(200);
  expect(await part.end('SIGTERM')).toBe(0);
});

test('a part whose port is taken says so, leaves nothing behind and exits with 2', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const port = String((taken.address() as AddressInfo).port);
  try {
    for (const [part, setting] of [
      ['api', 'STORYTIME_API_PORT'],
      ['dashboard', 'STORYTIME_DASHBOARD_PORT'],
      ['work', 'STORYTIME_WORK_PORT'],
    ] as const) {
      const failing = startProcess([...program, part], { env: { ...env, [setting]: port } });
      running.push(failing);
      await failing.says(setting);
      if (failing.child.exitCode === null)
        await new Promise((resolve) => failing.child.once('exit', resolve));
      expect([part, failing.child.exitCode]).toEqual([part, 2]);
    }
  } finally {
    taken.close();
  }
});
