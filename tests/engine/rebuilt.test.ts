// Covers: engine/queues.ts, engine/consume.ts, engine/connect.ts
// A start that met a PostgreSQL in trouble: BullMQ remembers it for ever, in each Queue and Worker that was made then.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { consume } from '../../engine/consume.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';

let database: TestDatabase;
let owner: Client;
beforeAll(async () => {
  database = await createDatabase();
  owner = new Client({ connectionString: database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

const data = { jobId: 'a', generation: 1, attempt: '1/3', tenant: 'test', summary: '' };
const job = { kind: 'play', priority: 5, delayMs: 0, data };

test('a queue, a board and a worker that were made in a bad moment work after it', async () => {
  const engine = openEngine({ databaseUrl: database.url, redisUrl: undefined, workers: 1 });
  const link = await engine.ready;
  await owner.query('ALTER TABLE bullmq.migration RENAME TO elsewhere');
  const broker = createBroker(engine, ['play']);
  await eventually('it is linked', () => broker.ready);
  const delivered: string[] = [];
  const told: string[] = [];
  const emit = (_: string, event: object): void => void told.push(JSON.stringify(event));
  const consumer = consume(link, 'play', { concurrency: 1, emit }, (delivery) => {
    delivered.push(delivery.data.jobId);
    return Promise.resolve({ failed: false, outcome: 'succeeded' });
  });
  const board = broker.boardQueues();
  await expect(broker.add('play', [job])).rejects.toThrow('migration');
  await expect(broker.add('play', [job])).rejects.toThrow('migration');
  await eventually('the worker tells', () => told.some((line) => line.includes('did not start')));
  await owner.query('ALTER TABLE bullmq.elsewhere RENAME TO migration');
  await broker.add('play', [job]);
  await eventually('it is delivered', () => delivered.length > 0);
  const [queue] = await board;
  expect(await queue?.getJobCounts('completed')).toBeDefined();
  await consumer.close(false);
  await broker.close();
  await engine.close();
});

test('a connection that breaks while BullMQ looks at its tables ends nothing else', async () => {
  const proxy = await startProxy(database.url);
  const engine = openEngine({ databaseUrl: proxy.url, redisUrl: undefined, workers: 0 });
  await engine.ready;
  const locker = new Client({ connectionString: database.url });
  await locker.connect();
  await locker.query('BEGIN; LOCK TABLE bullmq.migration IN ACCESS EXCLUSIVE MODE');
  const broker = createBroker(engine, ['play']);
  const waiting = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'storytime-engine' AND wait_event_type = 'Lock'`;
  // A connection for each of the two queues, this one and the lane's.
  await eventually('both look', async () => (await owner.query(waiting)).rowCount === 2);
  proxy.cut();
  await locker.end();
  proxy.restore();
  await eventually('it takes jobs', () =>
    broker.add('play', [job]).then(
      () => true,
      () => false,
    ),
  );
  await broker.close();
  await engine.close();
  await proxy.close();
});

test('queues and workers that were closed leave nothing behind on the connections they shared', async () => {
  const engine = openEngine({ databaseUrl: database.url, redisUrl: undefined, workers: 1 });
  const { queue, worker, store, close } = await engine.ready;
  const listeners = (): number => (store.kind === 'postgres' ? store.pool.listenerCount('error') : -1);
  const before = listeners();
  for (let life = 0; life < 5; life += 1) {
    const made = [queue('play'), worker('play', () => Promise.resolve(), { autorun: false })];
    expect(listeners()).toBeGreaterThan(before);
    await Promise.all(made.map((one) => one.waitUntilReady()));
    await Promise.all(made.map((one) => one.close()));
  }
  expect(listeners()).toBe(before);
  await close();
});
