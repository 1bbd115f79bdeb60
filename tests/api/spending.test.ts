// A tenant whose budget of the day is used up is told so when it sends more work that costs.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, openApi, problemOf, storyBody, type ApiWorld } from './world.ts';
import { query } from '../ledger/world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

const mail = {
  kind: 'send-email',
  payload: {
    template: 'welcome',
    to: 'a@example.com',
    variables: { name: 'Ada', link: 'https://storytime.example/a' },
  },
};

test('what costs is refused until tomorrow; mail, other tenants and what was accepted before are not', async () => {
  const headers = { 'idempotency-key': 'accepted-before' };
  const first = await ask(world, '/v1/jobs', { body: storyBody, headers });
  const { id } = (await first.json()) as { id: string };
  await query(
    world,
    `INSERT INTO budget (tenant, provider, day_micro_usd) SELECT DISTINCT tenant, '*', 0 FROM api_key WHERE tenant = (SELECT tenant FROM job WHERE id = $1)`,
    [id],
  );
  // The answer of before is remembered for two seconds.
  const until = performance.now() + 10_000;
  let refused = await ask(world, '/v1/jobs', { body: storyBody });
  while (refused.status === 202 && performance.now() < until)
    refused = await ask(world, '/v1/jobs', { body: storyBody });
  expect(refused.status).toBe(429);
  expect(await problemOf(refused)).toMatchObject({ code: 'spend_limit_reached' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await ask(world, '/v1/jobs', { body: mail })).status).toBe(202);
  const again = await ask(world, '/v1/jobs', { body: storyBody, headers });
  expect([again.status, ((await again.json()) as { id: string }).id]).toEqual([202, id]);
});
