import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { enqueue } from '../../ledger/enqueue-in-tx.ts';
import { createEnqueue, type Enqueue } from '../../ledger/enqueue.ts';
import { PrismaClient } from '../../ledger/generated/prisma/client.ts';
import { canonicalJson, sha256 } from '../../shared/text.ts';
import { openLedger, query, story, storyJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
let prisma: PrismaClient;
beforeAll(async () => {
  world = await openLedger();
  prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: world.url }, { schema: 'public' }) });
});
afterAll(async () => {
  await prisma.$disconnect();
  await world.close();
});

const request = { kind: 'generate-story', payload: story } as const;

/** Takes keys of `acme` in a transaction that stays open until it is told to end. `id`: the job of the last one. */
async function hold(...keys: string[]): Promise<{ id: string; end: () => Promise<void> }> {
  const told = new EventEmitter();
  let work: Promise<void> | undefined;
  const id = await new Promise<string>((taken) => {
    work = prisma.$transaction(
      async (tx) => {
        const ended = once(told, 'end');
        let last = '';
        for (const key of keys) last = (await enqueue(request, { tx, tenant: 'acme', key })).id;
        taken(last);
        await ended;
      },
      { timeout: 20_000 },
    );
  });
  const end = async (): Promise<void> => {
    told.emit('end');
    await work;
  };
  return { id, end };
}

function post(
  value: string,
  through = world.enqueue,
  { body = request, tenant = 'acme' }: { body?: unknown; tenant?: string } = {},
): ReturnType<Enqueue> {
  const key = { endpoint: 'POST /v1/jobs', value, bodyHash: sha256(canonicalJson(body)) };
  return through({ job: storyJob({ tenant }), key });
}

test('a key that an open transaction holds delays its own callers alone', async () => {
  const holder = await hold('order:1');
  const own = Promise.allSettled([post('order:1'), post('order:1', world.enqueue, { body: 'another' })]);
  const neighbours = Array.from({ length: 499 }, (_, turn) =>
    post(`order:${turn + 2}`, world.enqueue, { tenant: 'neighbour' }),
  );
  const plain = world.enqueue({ job: storyJob(), key: undefined });
  // While the key is still held: who had to wait for it would be refused.
  await Promise.all([plain, ...neighbours]);
  await holder.end();
  const [same, other] = await own;
  expect(same).toMatchObject({ status: 'fulfilled', value: { id: holder.id, repeated: true } });
  expect(other).toMatchObject({ status: 'rejected', reason: { code: 'idempotency_key_reused' } });
});

test('who keeps asking for a held key no longer meets the batches of others', async () => {
  const refused: string[] = [];
  const run: typeof world.db.run = (statement, values) =>
    world.db.run<never>(statement, values).catch((thrown: unknown) => {
      refused.push(JSON.stringify(values));
      throw thrown;
    });
  const { emit } = world.events;
  const watched = createEnqueue({ db: { ...world.db, run }, emit, onCommitted: () => undefined });
  const holder = await hold('asked often');
  const again = [post('asked often', watched)];
  await post('the one that shares its batch', watched);
  for (let turn = 0; turn < 10; turn += 1) {
    again.push(post('asked often', watched));
    await post(`beside ${turn}`, watched);
  }
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.filter((values) => values.includes('beside'))).toEqual([]);
  await holder.end();
  for (const answer of await Promise.all(again))
    expect(answer).toMatchObject({ id: holder.id, repeated: true });
});

test('a key that is held for too long is a 503 that asks to send it again', async () => {
  const holder = await hold('slow');
  await expect(post('slow')).rejects.toMatchObject({
    code: 'ledger_unavailable',
    message: expect.stringContaining('holds this Idempotency-Key'),
  });
  await holder.end();
  expect(await post('slow')).toMatchObject({ id: holder.id, repeated: true });
});

test('a dozen held keys in one batch delay their neighbours, and refuse none of them', async () => {
  const keys = Array.from({ length: 12 }, (_, turn) => `held ${turn}`);
  const holder = await hold(...keys);
  const own = Promise.all(keys.map((key) => post(key)));
  await Promise.all(Array.from({ length: 100 }, (_, turn) => post(`free ${turn}`)));
  await holder.end();
  expect((await own).every(({ repeated }) => repeated)).toBe(true);
  expect(await query(world, 'SHOW lock_timeout')).toEqual([{ lock_timeout: '0' }]);
});
