// The login: what opens it, what the cookie looks like, and what a guesser gets.
// Covers: dashboard/cookie.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKey } from '../../ledger/keys.ts';
import { openDashboard, type DashboardWorld } from './world.ts';

let world: DashboardWorld;
beforeAll(async () => {
  world = await openDashboard();
});
afterAll(async () => world.close());

test('a key that may read jobs opens a session whose cookie no script and no other site can use', async () => {
  const visit = await world.login(` ${world.key}\n`, '/board/queue/email');
  expect([visit.status, visit.headers.get('location')]).toEqual([303, '/board/queue/email']);
  expect(visit.headers.get('set-cookie')).toMatch(
    /^storytime_session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
  );
});

test('behind https the cookie is bound to the host and sent over https alone', async () => {
  const secure = await openDashboard({ secure: true });
  try {
    const visit = await secure.login(secure.key);
    expect(visit.headers.get('set-cookie')).toMatch(
      /^__Host-storytime=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(visit.headers.get('strict-transport-security')).toBe('max-age=31536000');
  } finally {
    await secure.close();
  }
});

test('the login page keeps where one wanted to go, and shows what is hostile as text', async () => {
  const visit = await world.visit('/login?next=/board/%22%3E%3Cscript%3Ealert(1)%3C/script%3E');
  expect(visit.status).toBe(200);
  expect(visit.body).not.toContain('<script>');
  expect((await world.visit('/login?next=//evil.example')).body).toContain('name="next" value="/ops"');
});

test('every wrong key gets the same answer, the eleventh in a minute is told to wait, and a right one still opens', async () => {
  const { key: enqueueOnly } = await createKey(world.ledger.db, {
    name: 'main api',
    tenant: 'acme',
    scopes: ['enqueue:*'],
  });
  const wrong = [
    enqueueOnly,
    `${world.key.slice(0, -1)}${world.key.endsWith('A') ? 'B' : 'A'}`,
    `stj_${'a'.repeat(43)}`,
    'hello',
    '',
  ];
  const answers = [];
  for (const key of [...wrong, ...wrong]) answers.push(await world.login(key));
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.body).toBe(answers[0]?.body);
    expect(answer.headers.get('set-cookie')).toBeNull();
  }
  const slowed = await world.login('another guess');
  expect(slowed.status).toBe(429);
  expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(slowed.headers.get('set-cookie')).toBeNull();
  expect((await world.login(world.key)).status).toBe(303);
});
