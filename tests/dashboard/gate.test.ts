// The gate against whoever has no session, and against requests that another site sends with the operator's cookie.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { localPath } from '../../dashboard/gate.ts';
import { createKey } from '../../ledger/keys.ts';
import { sha256 } from '../../shared/text.ts';
import { cookieOf, openDashboard, type DashboardWorld } from './world.ts';

let world: DashboardWorld;
beforeAll(async () => {
  world = await openDashboard();
});
afterAll(async () => world.close());

const page = { accept: 'text/html' };
const paths = [
  '/',
  '/ops',
  '/board',
  '/board/queue/email',
  '/board/api/queues',
  '/board/static/js/x.js',
  '/nothing',
];

test('without a session every path leads a person to the login and gives a program 401, and shows no data', async () => {
  for (const path of paths) {
    const visit = await world.visit(path, { headers: page });
    const seen = [visit.status, visit.headers.get('location')];
    if (path.startsWith('/board/api/')) expect(seen).toEqual([401, null]);
    else expect(seen).toEqual([302, `/login?next=${encodeURIComponent(path)}`]);
    expect(visit.body).not.toContain('voice-synthesis');
    const program = await world.visit(path);
    expect(program.status).toBe(401);
    expect(program.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.parse(program.body)).toMatchObject({ code: 'unauthenticated', status: 401 });
  }
});

test('a tampered, an expired and a closed session, and one whose key was revoked, are no session', async () => {
  const token = async (): Promise<string> => cookieOf(await world.login(world.key)).split('=')[1] ?? '';
  const status = async (value: string): Promise<number> =>
    (await world.visit('/ops', { headers: { ...page, cookie: `storytime_session=${value}` } })).status;
  const good = await token();
  expect(await status(good)).toBe(200);
  expect(await status(`${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`)).toBe(302);
  expect(await status(good + good)).toBe(302);

  const expired = await token();
  await world.ledger.db.run(
    { name: 'test_expire', text: `UPDATE session SET expires_at = now() - interval '1 s' WHERE hash = $1` },
    [sha256(expired)],
  );
  expect(await status(expired)).toBe(302);

  const closed = await token();
  await world.visit('/logout', {
    method: 'POST',
    headers: { origin: world.url, cookie: `storytime_session=${closed}` },
  });
  expect(await status(closed)).toBe(302);

  const { id, key } = await createKey(world.ledger.db, {
    name: 'gone',
    tenant: 'acme',
    scopes: ['jobs:read'],
  });
  const orphan = cookieOf(await world.login(key)).split('=')[1] ?? '';
  expect(await status(orphan)).toBe(200);
  await world.ledger.db.run(
    { name: 'test_revoke', text: 'UPDATE api_key SET revoked_at = now() WHERE id = $1' },
    [id],
  );
  expect(await status(orphan)).toBe(302);
});

test('a write that does not prove it came from our own page is refused, whatever its content type', async () => {
  const { cookie = '' } = await world.session();
  const refused = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site', origin: world.url },
    { 'sec-fetch-site': 'same-site' },
    {},
  ];
  for (const headers of refused) {
    for (const path of ['/board/api/queues/email/add', '/logout', '/login']) {
      const visit = await world.visit(path, {
        method: 'POST',
        headers: { ...(headers as Record<string, string>), cookie, 'content-type': 'text/plain' },
        body: '{"name":"x"}',
      });
      expect([visit.status, JSON.parse(visit.body).code]).toEqual([403, 'csrf_rejected']);
    }
  }
});

test('after the login one goes to a path of ours and never to another host', () => {
  const home = '/ops';
  expect(localPath('/board/queue/email?status=failed')).toBe('/board/queue/email?status=failed');
  const foreign = [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/..//evil.example',
  ];
  const odd = ['https://evil.example', 'javascript:alert(1)', 'ops', '', undefined, ['/a', '/b']];
  for (const next of [...foreign, ...odd]) expect(localPath(next)).toBe(home);
});
