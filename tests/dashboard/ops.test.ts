// The operations page: from the ledger alone, one sentence and one line a queue.
// Covers: dashboard/views.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addJob, setJob } from '../ledger/world.ts';
import { openDashboard, queueNames, type DashboardWorld } from './world.ts';

let world: DashboardWorld;
beforeAll(async () => {
  world = await openDashboard();
});
afterAll(async () => world.close());

test('an idle system is good news with a line for each queue', async () => {
  const idle = await openDashboard();
  try {
    const { body } = await idle.visit('/ops', { headers: await idle.session() });
    expect(body).toContain('All five queues within target.');
    expect(body).toContain('Nothing is waiting');
    for (const name of queueNames) expect(body).toContain(`>${name}</a>`);
    expect(body).toContain('http-equiv="refresh" content="5"');
    expect(body).not.toContain('<script');
  } finally {
    await idle.close();
  }
});

test('a late queue and its oldest job are named on top and in the table', async () => {
  const id = await addJob(world.ledger);
  await addJob(world.ledger);
  await setJob(world.ledger, id, `run_at = now() - interval '14 min'`);
  const { body } = await world.visit('/ops', { headers: await world.session() });
  expect(body).toContain('story-generation is 14 min late.');
  const row = /story-generation<\/a>([\s\S]*?)<\/tr>/.exec(body)?.[1] ?? '';
  expect([...row.matchAll(/<td[^>]*>([^<]*)</g)].map(([, text]) => text)).toEqual([
    '2',
    '0',
    '0',
    '0',
    '0',
    '0',
    '14 min',
  ]);
});
