import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../../ledger/generated/prisma/client.ts';
import { enqueue } from '../../ledger/enqueue-in-tx.ts';
import { checkJob } from '../../queues/check.ts';
import { registry } from '../../queues/index.ts';
import { canonicalJson, sha256 } from '../../shared/text.ts';
import { newJob } from '../../ledger/insert.ts';
import { countRows, openLedger, query, stateOf, story, type LedgerWorld } from './world.ts';

// The main API's own client: its search_path is `public`, where it has a table of its own.
let world: LedgerWorld;
let prisma: PrismaClient;
beforeAll(async () => {
  world = await openLedger();
  prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: world.url }, { schema: 'public' }) });
  await prisma.$executeRaw`CREATE TABLE public.family (name text)`;
});
afterAll(async () => {
  await prisma.$disconnect();
  await world.close();
});

const request = { kind: 'generate-story', payload: story } as const;

test('a job enqueued in a transaction commits with it, and a notice says so', async () => {
  const listener = await world.db.connect();
  await listener.query('LISTEN storytime_enqueued');
  const notice = new Promise((resolve) => listener.once('notification', resolve));
  const job = await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`INSERT INTO public.family VALUES ('Ada')`;
    return enqueue(request, { tx, tenant: 'acme' });
  });
  await notice;
  await listener.end();
  expect(job).toMatchObject({
    kind: 'generate-story',
    queue: 'story-generation',
    state: 'waiting',
    repeated: false,
  });
  expect(Math.abs(job.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
  expect(await stateOf(world, job.id)).toBe('waiting');
});

test('a point of time is judged by the clock of the database, not by that of the process', async () => {
  const hourMs = 3_600_000;
  const options = { runAt: new Date(Date.now() - hourMs).toISOString() };
  // The database's answer is moved, because the process's own clock cannot be.
  const enqueueAt = (movedMs: number) =>
    prisma.$transaction((tx) => {
      const $queryRaw = async (sql: TemplateStringsArray, ...values: unknown[]): Promise<unknown> => {
        const rows = await tx.$queryRaw<Record<string, unknown>[]>(sql, ...values);
        return rows.map(({ now_ms, ...row }) =>
          now_ms === undefined ? row : { now_ms: Number(now_ms) + movedMs },
        );
      };
      return enqueue({ ...request, options }, { tx: { $queryRaw }, tenant: 'acme' });
    });
  expect(await enqueueAt(-hourMs)).toMatchObject({ state: 'waiting' });
  await expect(enqueueAt(0)).rejects.toMatchObject({ code: 'validation_failed' });
});

test('a point of time that was accepted with a key is not refused with its repetition, and without the key it is', async () => {
  const options = { runAt: new Date(Date.now() + 1_000).toISOString() };
  const send = (key?: string) =>
    prisma.$transaction((tx) =>
      enqueue({ ...request, options }, { tx, tenant: 'acme', ...(key !== undefined && { key }) }),
    );
  const first = await send('due');
  // An hour later, as the ledger sees it: the same request, its point of time an hour old.
  const past = { runAt: new Date(Date.parse(options.runAt) - 3_600_000).toISOString() };
  const hash = sha256(canonicalJson({ ...request, options: past }));
  await query(
    world,
    `UPDATE idempotency SET created_at = created_at - interval '1 hour', body_hash = $1 WHERE job_id = $2`,
    [hash, first.id],
  );
  options.runAt = past.runAt;
  expect(await send('due')).toMatchObject({ id: first.id, repeated: true });
  for (const key of [undefined, 'another'])
    await expect(send(key)).rejects.toMatchObject({ code: 'validation_failed' });
});

test('a transaction that is rolled back leaves neither its rows nor the job', async () => {
  const before = await countRows(world, 'job');
  const work = prisma.$transaction(async (tx) => {
    await enqueue(request, { tx, tenant: 'acme', key: 'rolled back' });
    throw new Error('the caller changed its mind');
  });
  await expect(work).rejects.toThrow('changed its mind');
  expect(await countRows(world, 'job')).toBe(before);
  const again = await prisma.$transaction((tx) =>
    enqueue(request, { tx, tenant: 'acme', key: 'rolled back' }),
  );
  expect(again.repeated).toBe(false);
});

test('a key means the same job in a transaction and over HTTP, and another request is refused', async () => {
  const once = () => prisma.$transaction((tx) => enqueue(request, { tx, tenant: 'acme', key: 'shared' }));
  const [first, second] = await Promise.all([once(), once()]);
  expect(second.id).toBe(first.id);
  expect(first.repeated).not.toBe(second.repeated);
  const job = newJob(checkJob(registry, request, Date.now()), { tenant: 'acme', source: 'api' });
  const key = { endpoint: 'POST /v1/jobs', value: 'shared', bodyHash: sha256(canonicalJson(request)) };
  expect(await world.enqueue({ job, key })).toMatchObject({ id: first.id, repeated: true });
  const other = { ...request, payload: { ...story, theme: 'the moon' } };
  await expect(
    prisma.$transaction((tx) => enqueue(other, { tx, tenant: 'acme', key: 'shared' })),
  ).rejects.toMatchObject({ code: 'idempotency_key_reused' });
});

test('a delayed job waits in the ledger, a wrong payload never reaches the database', async () => {
  const options = { delayMs: 60_000, priority: 'high' } as const;
  const job = await prisma.$transaction((tx) => enqueue({ ...request, options }, { tx, tenant: 'acme' }));
  expect(job.state).toBe('scheduled');
  const wrong = { kind: 'generate-story', payload: { ...story, age: 200 } } as const;
  let asked = 0;
  const tx = { $queryRaw: async () => (asked += 1) };
  await expect(enqueue(wrong, { tx, tenant: 'acme' })).rejects.toMatchObject({
    code: 'validation_failed',
    errors: [{ pointer: '/payload/age' }],
  });
  await expect(enqueue(request, { tx, tenant: 'acme', key: 'a\nb' })).rejects.toMatchObject({
    code: 'idempotency_key_invalid',
  });
  expect(asked).toBe(0);
});
