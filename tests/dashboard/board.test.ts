// Bull Board behind our gate: it shows and changes nothing, asks nobody outside, and stays small whatever it is asked.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openDb } from '../../ledger/db.ts';
import { openDashboard, queueNames, type DashboardWorld } from './world.ts';

let world: DashboardWorld;
let headers: Record<string, string>;
beforeAll(async () => {
  world = await openDashboard();
  headers = await world.session();
  await world.broker.boardQueues();
});
afterAll(async () => world.close());

const data = {
  jobId: 'j',
  generation: 1,
  attempt: '1/3',
  tenant: 'acme',
  summary: '<img src=x onerror=alert(1)></script>',
};

test('the board shows the five queues, all read-only', async () => {
  const { status, body } = await world.visit('/board/api/queues', { headers });
  const { queues } = JSON.parse(body) as { queues: { name: string; readOnlyMode: boolean }[] };
  expect(status).toBe(200);
  expect(queues.map(({ name }) => name).sort()).toEqual([...queueNames].sort());
  expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
});

test('its page loads nothing from outside, and its files come through the gate', async () => {
  for (const path of ['/board', '/board/', '/board/queue/email']) {
    const { status, body } = await world.visit(path, { headers });
    expect(status).toBe(200);
    expect(body).toContain('<base href="/board/"');
    expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  }
  const script = /src="(static\/js\/main[^"]+)"/.exec((await world.visit('/board/', { headers })).body)?.[1];
  expect((await world.visit(`/board/${script}`, { headers })).headers.get('content-type')).toContain(
    'javascript',
  );
});

test('no request can change anything: every writing method is refused on every path of the board', async () => {
  const paths = [
    'queues/email/add',
    'queues/email/pause',
    'queues/email/j-1/retry/failed',
    'queues/email/obliterate',
    'queues/pause',
    '',
  ];
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const path of paths) {
      const visit = await world.visit(`/board/api/${path}`, {
        method,
        headers: { ...headers, origin: world.url },
      });
      expect([method, path, visit.status]).toEqual([method, path, 405]);
    }
  }
});

test('a page of a million jobs is a page of a hundred, and odd numbers are the nearest allowed ones', async () => {
  const jobs = Array.from({ length: 120 }, (_, index) => ({
    kind: 'send-email',
    priority: 5,
    delayMs: 0,
    data: { ...data, generation: index + 1 },
  }));
  await world.broker.add('email', jobs);
  const read = async (query: string): Promise<number> => {
    const { status, body } = await world.visit(
      `/board/api/queues?activeQueue=email&status=prioritized&${query}`,
      { headers },
    );
    expect(status).toBe(200);
    const { queues } = JSON.parse(body) as { queues: { name: string; jobs: unknown[] }[] };
    return queues.find(({ name }) => name === 'email')?.jobs.length ?? -1;
  };
  expect(await read('jobsPerPage=1000000')).toBe(100);
  expect(await read('jobsPerPage=100&page=2')).toBe(20);
  expect(await read('jobsPerPage=100&page=99999999999')).toBe(0);
  expect(await read('jobsPerPage=-5&page=abc')).toBe(1);
  expect(await read('jobsPerPage=7&jobsPerPage=9000')).toBe(7);
});

test('what a job carries reaches the browser as JSON that no browser runs', async () => {
  const visit = await world.visit('/board/api/queues?activeQueue=email&status=prioritized', { headers });
  expect(visit.headers.get('content-type')).toContain('application/json');
  expect(visit.headers.get('x-content-type-options')).toBe('nosniff');
  expect(visit.body).toContain('onerror');
});

test('while the engine is away the board says so on a page of ours, and the rest of the dashboard works', async () => {
  const nowhere = await openDashboard({}, 'postgres://nobody:none@127.0.0.1:1/none');
  try {
    const signedIn = await nowhere.session();
    const visit = await nowhere.visit('/board/', { headers: signedIn });
    expect(visit.status).toBe(503);
    expect(visit.body).toContain('The engine cannot be reached');
    expect(visit.headers.get('retry-after')).toBe('5');
    expect((await nowhere.visit('/board/api/queues', { headers: signedIn })).status).toBe(503);
    expect((await nowhere.visit('/ops', { headers: signedIn })).status).toBe(200);
    expect((await nowhere.visit('/readyz')).status).toBe(200);
  } finally {
    await nowhere.close();
  }
});

test('while the ledger is away an operator reads what it means for the jobs, and a program gets a whole problem', async () => {
  const db = openDb({
    url: 'postgres://nobody:none@127.0.0.1:1/none',
    poolSize: 1,
    statementTimeoutMs: 1_000,
    emit: () => undefined,
  });
  const away = await openDashboard({ db });
  try {
    const page = await away.login(away.key);
    expect([page.status, page.body]).toEqual([503, expect.stringContaining('no accepted job is lost')]);
    const told = await away.visit('/ops', { headers: { ...headers, accept: 'application/json' } });
    expect(JSON.parse(told.body)).toMatchObject({
      status: 503,
      code: 'ledger_unavailable',
      instance: told.headers.get('x-request-id'),
      details: {},
      errors: [],
    });
  } finally {
    await away.close();
    await db.close();
  }
});

test('an engine that answers with an error is a 503 with a reason, never a 500', async () => {
  const owner = new Client({ connectionString: world.ledger.url });
  await owner.connect();
  try {
    await owner.query('ALTER TABLE bullmq.job RENAME TO elsewhere');
    const visit = await world.visit('/board/api/queues', { headers });
    expect([visit.status, visit.body]).toEqual([503, expect.stringContaining('jobs are safe in the ledger')]);
    await owner.query('ALTER TABLE bullmq.elsewhere RENAME TO job');
    expect((await world.visit('/board/api/queues', { headers })).status).toBe(200);
  } finally {
    await owner.end();
  }
});
