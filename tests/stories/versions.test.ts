// Two builds side by side on one ledger and one engine: each does what it can, and nothing is failed for being too new.
// Covers: workers/maintenance/unparker.ts, workers/taking.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createRegistry } from '../../queues/registry.ts';
import type { Job } from '../../workers/define.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { openHouse, playQueue, type House } from '../support/house.ts';

const plain = { result: z.unknown(), replay: 'safe' } as const;
const oldRegistry = createRegistry([
  { ...playQueue, jobs: { play: { ...plain, payload: z.strictObject({ name: z.string() }) } } },
]);
/** Names became lists, `rest` is new, and `play` was called `sing` once. */
const newRegistry = createRegistry([
  {
    ...playQueue,
    jobs: {
      play: {
        ...plain,
        payload: z.strictObject({ names: z.array(z.string()) }),
        version: 2,
        upgrade: { 1: (old: unknown) => ({ names: [(old as { name: string }).name] }) },
        aliases: ['sing'],
      },
      rest: { ...plain, payload: z.strictObject({}) },
    },
  },
]);

let database: TestDatabase;
let older: House;
let newer: House | undefined;
beforeAll(async () => {
  database = await createDatabase();
  older = await openHouse({
    databaseUrl: database.url,
    registry: oldRegistry,
    handlers: { play: (job: Job<{ name: string }>) => Promise.resolve({ old: job.payload.name }) },
  });
});
afterAll(async () => {
  await newer?.close();
  await older.close();
  await database.drop();
});

test('old jobs run in both builds, new ones are parked without an attempt until the new build comes', async () => {
  const first = await older.enqueue('play', { name: 'Ada' });
  expect(await older.until(first.id, (row) => row.state === 'succeeded')).toMatchObject({
    result: { old: 'Ada' },
  });

  // A new API in front of an old work process.
  const api = await openHouse({ databaseUrl: database.url, registry: newRegistry, work: false });
  const later = await Promise.all([api.enqueue('sing', { names: ['Bea', 'Cem'] }), api.enqueue('rest', {})]);
  for (const { id } of later) {
    const row = await older.until(id, ({ state }) => state === 'parked');
    expect(row).toMatchObject({
      failures: 0,
      errorCode: null,
      errorMessage: expect.stringMatching(/^parked: /),
    });
  }

  // The old process is idle and would get whatever goes through the engine; the new one has it all the same.
  newer = await openHouse({
    databaseUrl: database.url,
    registry: newRegistry,
    handlers: {
      play: (job: Job<{ names: string[] }>) => Promise.resolve({ names: job.payload.names }),
      rest: () => Promise.resolve({}),
    },
  });
  for (const { id } of later) {
    const row = await older.until(id, ({ state }) => state === 'succeeded');
    expect(row).toMatchObject({ failures: 0, errorMessage: null });
  }
  expect(await older.until(later[0].id, () => true)).toMatchObject({
    kind: 'play',
    result: { names: ['Bea', 'Cem'] },
  });

  await older.work?.stop();
  const last = await older.enqueue('play', { name: 'Dag' });
  expect(await newer.until(last.id, ({ state }) => state === 'succeeded')).toMatchObject({
    result: { names: ['Dag'] },
  });
  await api.close();
});
