// The `jobs` commands against a real API: what they send, what they print, and how they end.
// Covers: cli/jobs-cancel.ts, cli/jobs-enqueue.ts, cli/jobs-show.ts, cli/jobs-wait.ts, cli/jobs-data.ts, cli/jobs-print.ts, cli/jobs-connection.ts
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAuthenticate } from '../../api/auth.ts';
import { startApi, type RunningApi } from '../../api/server.ts';
import { createKey, createKeyring } from '../../ledger/keys.ts';
import { registry } from '../../queues/index.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from '../ledger/world.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { say, type Said } from './world.ts';

const alone = () => Promise.resolve({ ledger: true, engine: false });

let ledger: LedgerWorld;
let api: RunningApi;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await createFolder();
  ledger = await openLedger();
  const { db, enqueue } = ledger;
  const deps = {
    registry,
    db,
    enqueue,
    authenticate: createAuthenticate(createKeyring({ db })),
    emit: ledger.events.emit,
    readiness: alone,
  };
  api = await startApi({
    ...deps,
    linkSecret: 's'.repeat(32),
    draining: () => false,
    host: '127.0.0.1',
    port: 0,
  });
  const { key } = await createKey(db, {
    name: 'cli',
    tenant: 'acme',
    scopes: ['enqueue:*', 'jobs:read', 'jobs:operate'],
  });
  env = { STORYTIME_URL: api.url, STORYTIME_KEY: key, STORYTIME_HOME: join(folder, 'home') };
});
afterAll(async () => {
  await api.close();
  await ledger.close();
  await removeFolder(folder);
});

const payload = '{"childName":"Ada","age":6,"theme":"sea"}';

async function jobs(line: string, input?: string): Promise<Said> {
  return say(['jobs', ...line.split(' ')], env, input);
}

test('enqueue prints the id alone; the same key makes no second job and says so', async () => {
  const file = join(folder, 'story.json');
  await writeFile(file, payload);
  const first = await jobs(`enqueue generate-story --key order-7 --in 5m --priority low --data @${file}`);
  expect(first).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f-]{36}\n$/), err: '' });
  const again = await jobs(
    'enqueue generate-story --key order-7 --delay 5m --priority low --data -',
    payload,
  );
  expect(again).toEqual({ code: 0, out: first.out, err: '(already enqueued)\n' });
  const shown = JSON.parse((await jobs(`show ${first.out.trim()} --attempts --steps --json`)).out);
  expect(shown).toMatchObject({
    schema: 1,
    job: { state: 'scheduled', priority: 'low', attempts: [], steps: [] },
  });
  expect((await jobs(`show ${first.out.trim()}`)).out).toMatch(/^state +scheduled$/m);
});

test('cancel ends a job, may be said twice, and tells of one that runs that it was asked', async () => {
  const id = await addJob(ledger);
  for (const _ of [1, 2])
    expect(await jobs(`cancel ${id}`)).toEqual({ code: 0, out: `${id} cancelled\n`, err: '' });
  const running = await addJob(ledger);
  await setJob(ledger, running, `state = 'running', attempt_no = 1, started_at = now(), lease_until = now()`);
  expect(await jobs(`cancel ${running}`)).toMatchObject({
    code: 0,
    out: `${running} running\n`,
    err: expect.stringContaining('was asked to stop'),
  });
  const done = await addJob(ledger);
  await setJob(ledger, done, `state = 'dead', finished_at = now()`);
  const { code, err } = await jobs(`cancel ${done} --json`);
  expect(code).toBe(1);
  expect(JSON.parse(err)).toMatchObject({
    error: { exitCode: 1, status: 409, code: 'invalid_state', requestId: expect.any(String) },
  });
});

test('the attempts of a job are shown with their times and workers, and that there were more', async () => {
  const id = await addJob(ledger);
  await query(
    ledger,
    `INSERT INTO attempt (job_id, attempt_no, generation, outcome, code, message, worker_id, started_at, ended_at)
     SELECT $1::uuid, n, n, 'snoozed', 'auth', 'no', $1::uuid, '2026-11-28T10:00:00Z', '2026-11-28T10:00:01.5Z' FROM generate_series(1, 23) n`,
    [id],
  );
  await setJob(ledger, id, 'attempt_no = 23');
  const { out } = await jobs(`show ${id} --attempts`);
  expect(out).toContain('attempts before 4 are not shown\n');
  expect(out).toContain(`attempt 23: 2026-11-28T10:00:00.000Z, 1.5 s, snoozed, auth: no, worker ${id}\n`);
});

test('what an error says is shown, and what it would make the terminal do is not done', async () => {
  const id = await addJob(ledger);
  await setJob(
    ledger,
    id,
    `state = 'dead', finished_at = now(), error_code = 'bug', error_message = E'no \\x1b]0;owned\\x07'`,
  );
  const { out } = await jobs(`show ${id}`);
  expect(out).toMatch(/^error +bug: no .\]0;owned.$/mu);
  expect(out).not.toMatch(/[\u001b\u0007]/);
});

test('a payload that cannot be read or parsed is wrong use, with the place and before anything is sent', async () => {
  const nul = join(folder, 'nul.json');
  await writeFile(nul, '{"a":"\0"}');
  const large = join(folder, 'large.json');
  await writeFile(large, JSON.stringify('x'.repeat(300_000)));
  const wrong: [string, string][] = [
    ['@/no/such.json', '/no/such.json cannot be read: ENOENT'],
    [`@${folder}`, 'EISDIR'],
    [`@${nul}`, 'nul.json is not JSON'],
    [`@${large}`, 'the API takes at most'],
    ['{"childName":}', '--data is not JSON: Unexpected token'],
    ['-', 'pipe the JSON in or name a file'],
  ];
  for (const [data, expected] of wrong) {
    const { code, out, err } = await jobs(`enqueue generate-story --data ${data}`);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(expected);
  }
});

test('what the API refuses is told with every field, and its status decides the exit code', async () => {
  const { code, err } = await jobs('enqueue generate-story --data {"age":99,"colour":1}');
  expect(code).toBe(2);
  for (const part of ['/childName', '/age', '/theme', '/colour']) expect(err).toContain(part);
  expect((await jobs('show nonsense')).code).toBe(2);
  expect((await jobs('show 0199a1b2-0000-7000-8000-000000000000')).code).toBe(1);
  const wrongKey = { ...env, STORYTIME_KEY: `stj_${'a'.repeat(43)}` };
  expect((await say(['jobs', 'show', '0199a1b2-0000-7000-8000-000000000000'], wrongKey)).code).toBe(4);
  const { STORYTIME_KEY: _, ...withoutKey } = env;
  expect((await say(['jobs', 'show', 'x'], withoutKey)).code).toBe(4);
});

test('an API that does not answer is told at once', async () => {
  const { code, err } = await say(['jobs', 'show', 'x'], { ...env, STORYTIME_URL: 'http://127.0.0.1:1' });
  expect([code, err]).toEqual([1, expect.stringContaining('the API at http://127.0.0.1:1 does not answer')]);
  const nothing = await say(['jobs', 'show', 'x'], { STORYTIME_HOME: join(folder, 'empty') });
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('start `storytime up`')]);
});

test.each([503, undefined])(
  'an API whose answer is %s is asked once: a person does not wait',
  async (status) => {
    const seen: string[] = [];
    const server = createServer((req, res) => {
      seen.push(req.url ?? '');
      if (seen.length === 1) res.end();
      else if (status !== undefined)
        res.writeHead(status, { 'retry-after': '2' }).end('{"code":"x","detail":"no"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code } = await say(['jobs', 'show', 'x'], { ...env, STORYTIME_URL: `http://127.0.0.1:${port}` });
    server.closeAllConnections();
    server.close();
    expect([seen, code]).toEqual([['/livez', '/v1/jobs/x'], 1]);
  },
);

test('an address or a key that cannot be one is wrong use, and the key is not shown', async () => {
  for (const url of ['localhost:4000', 'ftp://127.0.0.1', 'api', `${api.url} x`]) {
    const { code, err } = await say(['jobs', 'show', 'x'], { ...env, STORYTIME_URL: url });
    expect([url, code, err]).toEqual([url, 2, expect.stringContaining('write http://host:port')]);
  }
  for (const key of ['stj_hunter2\nstj_b', 'stj_hunter2 b', 'stj_hunter2ö']) {
    const { code, out, err } = await say(['jobs', 'show', 'x'], { ...env, STORYTIME_KEY: key });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^(?!.*hunter2).*STORYTIME_KEY cannot be a key: .*; copy it again\n$/);
  }
});

test('wait ends with 0 and the result, with 3 when the job died, with 124 when time ran out', async () => {
  const enqueue = async (): Promise<string> =>
    (await jobs(`enqueue generate-story --data ${payload.replaceAll(' ', '')}`)).out.trim();
  const slow = await jobs(`wait ${await idOf(enqueue)} --timeout 50ms`);
  expect([slow.code, slow.out, slow.err]).toEqual([124, '', expect.stringContaining('it goes on')]);

  const good = await idOf(enqueue);
  await setJob(ledger, good, `state = 'succeeded', finished_at = now(), result = '{"title":"Ada"}'`);
  expect(await jobs(`wait ${good} --tree`)).toMatchObject({ code: 0, out: '{\n  "title": "Ada"\n}\n' });

  const child = await addJob(ledger, { parentId: good, rootId: good });
  for (const state of ['cancelled', 'expired', 'dead']) {
    await setJob(ledger, child, `state = '${state}', finished_at = now()`);
    const told = await jobs(`wait ${good} --tree`);
    expect([told.code, told.err]).toEqual([3, expect.stringContaining(`1 of the 1 jobs of the family`)]);
  }

  const dead = await idOf(enqueue);
  await setJob(
    ledger,
    dead,
    `state = 'dead', finished_at = now(), error_code = 'bad_input', error_message = 'no'`,
  );
  const failed = await jobs(`wait ${dead} --json`);
  expect(failed.code).toBe(3);
  expect(JSON.parse(failed.out)).toMatchObject({ schema: 1, job: { id: dead, state: 'dead' } });
  expect(await jobs(`wait ${dead} --for final --json`)).toMatchObject({ code: 0, out: failed.out });
  expect(JSON.parse(failed.err)).toMatchObject({ schema: 1, error: { exitCode: 3 } });
});

async function idOf(enqueue: () => Promise<string>): Promise<string> {
  const id = await enqueue();
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  return id;
}
