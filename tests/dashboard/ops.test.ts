// The operations page: from the ledger alone, one sentence and one line a queue.
// Covers: dashboard/views.ts, dashboard/provider-line.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeGates } from '../../ledger/gates.ts';
import { addMinutes, durationSteps } from '../../ledger/provider-minutes.ts';
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
    '0',
    '14 min',
  ]);
});

test('parked jobs have a column and a part of the sentence, by the reason they are parked for', async () => {
  const other = await openDashboard();
  try {
    const park = async (reason: string): Promise<void> => {
      const id = await addJob(other.ledger, { queue: 'email', kind: 'send-email' });
      await setJob(other.ledger, id, `state = 'parked', parked_for = '${reason}'`);
    };
    for (const reason of ['build', 'build', 'quarantine']) await park(reason);
    const { body } = await other.visit('/ops', { headers: await other.session() });
    expect(body).toContain('<h1 class="bad">2 jobs of email parked (no running build knows them: start one');
    expect(body).toContain('1 job of email parked (the quarantine lane is full: see which jobs crash)');
    expect(body).toContain('<td data-label="Parked" class="bad">3</td>');
    expect(body.match(/<td data-label="Parked">0<\/td>/g)).toHaveLength(queueNames.length - 1);
  } finally {
    await other.close();
  }
});

test('each provider has its line, and one that is not called is named on top with what to do', async () => {
  const { db } = world.ledger;
  const closing = { baseMs: 60_000, capMs: 60_000, by: 'host:1', probeId: undefined };
  await closeGates(db, { gates: ['gemini-pictures'], reason: 'quota_exhausted', ...closing });
  await closeGates(db, { gates: ['elevenlabs'], reason: 'quota_exhausted', ...closing });
  const buckets = durationSteps.map((step) => (step === 1_500 ? 40 : 0));
  const minuteMs = Math.floor(Date.now() / 60_000) * 60_000;
  await addMinutes(db, [{ provider: 'gemini', minuteMs, calls: 40, errors: 4, buckets: [...buckets, 0] }]);
  const other = await openDashboard({ db }); // the first one may still believe its last answer
  try {
    const { body } = await other.visit('/ops', { headers: await world.session() });
    expect(body).toMatch(/gemini-pictures is not called since [\d: -]+ \(its quota is used up: raise it\)/);
    expect(body).toMatch(/elevenlabs is not called since \d\d:\d\d \(its quota is used up: raise it\)/);
    const row = /gemini<\/th>([\s\S]*?)<\/tr>/.exec(body)?.[1] ?? '';
    const cells = [...row.matchAll(/<td[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(cells).toEqual([
      expect.stringMatching(
        /^gemini-text open; gemini-pictures closed until [\d: -]+: quota_exhausted since [\d: -]+$/,
      ),
      '40',
      expect.stringMatching(/^1\.\d\d s$/),
      '10.0 %',
      '$0.00',
    ]);
    expect(body).toMatch(/<td data-label="Gate" class="bad">closed until [\d: -]+: quota_exhausted since/);
  } finally {
    await other.close();
  }
});
