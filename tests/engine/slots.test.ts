// A queue's concurrency holds over every change of worker: deliveries of one that was dropped keep their slots until they end.
// Covers: engine/consume.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createBroker } from '../../engine/broker.ts';
import { openEngine } from '../../engine/connect.ts';
import { consume } from '../../engine/consume.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/house.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let database: TestDatabase;
let redis: TestRedis;
beforeAll(async () => {
  [database, redis] = await Promise.all([createDatabase(), startRedis()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), redis.stop()]);
});

const entry = (jobId: string) => ({
  kind: 'play',
  priority: 5,
  delayMs: 0,
  data: { jobId, generation: 1, attempt: '1/3', tenant: 'test', summary: '' },
});

test.each(['postgres', 'redis'] as const)(
  '%s: after a hold no more jobs run at once than before',
  async (kind) => {
    const redisUrl = kind === 'redis' ? redis.url : undefined;
    const engine = openEngine({ databaseUrl: database.url, redisUrl, workers: 1 });
    const broker = createBroker(engine, ['slots']);
    const link = await engine.ready;
    const open = new Map<string, () => void>();
    let most = 0;
    const settings = { concurrency: 2, emit: () => undefined };
    const consumer = consume(link, 'slots', settings, async ({ data: { jobId } }) => {
      await new Promise<void>((resolve) => {
        open.set(jobId, resolve);
        most = Math.max(most, open.size);
      });
      open.delete(jobId);
      return { failed: false, outcome: 'succeeded' };
    });
    const end = (jobId: string): void => open.get(jobId)?.();
    const runs = (...ids: string[]) => eventually(ids.join(), () => ids.every((id) => open.has(id)));

    await broker.add('slots', [entry('a'), entry('b')]);
    await runs('a', 'b');
    consumer.hold();
    consumer.take(); // no slot is free: no worker yet
    await broker.add('slots', [entry('c'), entry('d'), entry('e'), entry('f')]);
    end('a');
    await runs('b', 'c');
    consumer.hold();
    consumer.take();
    end('b');
    await runs('c', 'd');
    end('c'); // the present worker is full with d
    await runs('d', 'e');
    end('d');
    await runs('e', 'f');
    end('e');
    end('f');
    await eventually('all have ended', () => open.size === 0);
    expect([most, consumer.freeSlots]).toEqual([2, 2]);
    await consumer.close(true);
    await broker.close();
    await engine.close();
  },
);
