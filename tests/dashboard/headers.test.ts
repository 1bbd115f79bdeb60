// The headers that a browser needs to protect the operator are on every answer, the refusals and the failures included.
// Covers: dashboard/answers.ts, dashboard/app.ts, dashboard/start.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDashboard, type DashboardWorld } from './world.ts';

let world: DashboardWorld;
beforeAll(async () => {
  world = await openDashboard();
  await world.broker.boardQueues();
});
afterAll(async () => world.close());

test('every answer forbids frames, sniffing, caching and anything from outside, and names no server', async () => {
  const headers = await world.session();
  const post = { method: 'POST', headers: { ...headers, origin: world.url } };
  const visits = [
    await world.visit('/livez'),
    await world.visit('/ops.css'),
    await world.visit('/login'),
    await world.visit('/login', {
      ...post,
      body: 'x'.repeat(10_000),
      headers: { ...post.headers, 'content-type': 'application/x-www-form-urlencoded' },
    }),
    await world.visit('/ops'),
    await world.visit('/ops', { headers }),
    await world.visit('/board/', { headers }),
    await world.visit('/board/static/favicon.ico', { headers }),
    await world.visit('/board/api/queues', { headers }),
    await world.visit('/board/api/queues?activeQueue=%E0%A4%A', { headers }),
    await world.visit('/board/%E0%A4%A', { headers }),
    await world.visit('/nothing', { headers }),
    await world.visit('/ops', { ...post, headers: { ...headers, origin: 'https://evil.example' } }),
    await world.visit('/board/api/queues/pause', { ...post, method: 'PUT' }),
  ];
  expect(visits.map(({ status }) => status)).toEqual([
    200, 200, 200, 413, 401, 200, 200, 200, 200, 400, 404, 404, 403, 405,
  ]);
  for (const visit of visits) {
    const policy = visit.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'; base-uri '");
    expect(policy).toContain("form-action 'self'");
    expect(visit.headers.get('x-content-type-options')).toBe('nosniff');
    expect(visit.headers.get('referrer-policy')).toBe('same-origin');
    expect(visit.headers.get('cache-control')).toBe('no-store');
    expect(visit.headers.get('x-powered-by')).toBeNull();
    expect(visit.body).not.toMatch(/node_modules|at .*\.(?:ts|js):\d/);
  }
});
