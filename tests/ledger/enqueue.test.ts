import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEnqueue } from '../../ledger/enqueue.ts';
import { openDb } from '../../ledger/db.ts';
import { sha256 } from '../../shared/text.ts';
import { countRows, openLedger, query, storyJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const keyOf = (value: string, body = 'body') => ({
  endpoint: 'POST /v1/jobs',
  value,
  bodyHash: sha256(body),
});

/** A second process in front of the same database. */
function otherProcess(): { enqueue: LedgerWorld['enqueue']; close: () => Promise<void> } {
  const db = openDb({ url: world.url, poolSize: 4, statementTimeoutMs: 5_000, emit: world.events.emit });
  return {
    enqueue: createEnqueue({ db, emit: world.events.emit, onCommitted: () => undefined }),
    close: () => db.close(),
  };
}

test('50 callers with one key in two processes make one job, and one of them is the first', async () => {
  const other = otherProcess();
  const before = await countRows(world, 'job');
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, turn) =>
      (turn % 2 === 0 ? world : other).enqueue({ job: storyJob(), key: keyOf('one') }),
    ),
  );
  await other.close();
  expect(new Set(answers.map((answer) => answer.id)).size).toBe(1);
  expect(answers.filter((answer) => !answer.repeated)).toHaveLength(1);
  expect((await countRows(world, 'job')) - before).toBe(1);
});

test('a key with another body is refused, in one batch and later, and names the first job', async () => {
  const [first, second] = await Promise.allSettled([
    world.enqueue({ job: storyJob(), key: keyOf('two') }),
    world.enqueue({ job: storyJob(), key: keyOf('two', 'other') }),
  ]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'idempotency_key_reused' } });
  const again = world.enqueue({ job: storyJob(), key: keyOf('two', 'other') });
  const id = first.status === 'fulfilled' ? first.value.id : '';
  await expect(again).rejects.toMatchObject({ code: 'idempotency_key_reused', details: { job_id: id } });
});

test('a key belongs to its tenant and its endpoint, and is free again after a day', async () => {
  const first = await world.enqueue({ job: storyJob(), key: keyOf('three') });
  const neighbour = await world.enqueue({ job: storyJob({ tenant: 'neighbour' }), key: keyOf('three') });
  const endpoint = await world.enqueue({ job: storyJob(), key: { ...keyOf('three'), endpoint: 'other' } });
  expect(new Set([first.id, neighbour.id, endpoint.id]).size).toBe(3);
  await query(world, `UPDATE idempotency SET expires_at = now() - interval '1 s'`);
  const later = await world.enqueue({ job: storyJob(), key: keyOf('three', 'other') });
  expect(later.repeated).toBe(false);
  expect(later.id).not.toBe(first.id);
});

test('one row that the database refuses fails alone', async () => {
  const jobs = Array.from({ length: 40 }, (_, turn) =>
    storyJob(turn === 17 ? { payload: '{"text":"\\u0000"}' } : {}),
  );
  const answers = await Promise.allSettled(jobs.map((job) => world.enqueue({ job, key: undefined })));
  expect(
    answers.map((answer, turn) => answer.status === (turn === 17 ? 'rejected' : 'fulfilled')),
  ).not.toContain(false);
});

test('many callers share few commits, and what was committed is handed on once', async () => {
  world.committed.length = 0;
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () => world.enqueue({ job: storyJob(), key: undefined })),
  );
  expect(world.committed.length).toBeLessThanOrEqual(4);
  const handedOn = world.committed.flat().map((row) => row.id);
  expect(new Set(handedOn)).toEqual(new Set(answers.map((answer) => answer.id)));
  expect(handedOn).toHaveLength(1_000);
});

/** Loses its connection once, after the statement was committed. */
function breakingAt(name: string): ReturnType<typeof createEnqueue> {
  let broken = false;
  const run: typeof world.db.run = async (statement, values) => {
    const rows = await world.db.run(statement, values);
    if (statement.name !== name || broken) return rows as never;
    broken = true;
    throw new Error('Connection terminated unexpectedly');
  };
  return createEnqueue({ db: { ...world.db, run }, emit: world.events.emit, onCommitted: () => undefined });
}

test('without a key, too, a broken connection is answered with what was committed', async () => {
  const enqueue = breakingAt('enqueue_plain');
  const job = storyJob({ delayMs: 60_000 });
  const answer = await enqueue({ job, key: undefined });
  const rows = await query(world, 'SELECT id, state, created_at AS "createdAt" FROM job WHERE id = $1', [
    job.id,
  ]);
  expect(rows).toMatchObject([{ state: 'scheduled' }]);
  expect({ ...rows[0], repeated: false }).toMatchObject({
    id: answer.id,
    state: answer.state,
    createdAt: answer.createdAt,
    repeated: answer.repeated,
  });
});

test('a connection that breaks under a batch costs no job and doubles none', async () => {
  const before = await countRows(world, 'job');
  const enqueue = breakingAt('enqueue_keyed');
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, turn) => enqueue({ job: storyJob(), key: keyOf(`broken ${turn}`) })),
  );
  expect(answers.some((answer) => answer.repeated)).toBe(false);
  expect((await countRows(world, 'job')) - before).toBe(10);
});

test('an absent ledger is a 503 that asks to send the same key again', async () => {
  const db = openDb({
    url: 'postgres://nobody@127.0.0.1:1/none',
    poolSize: 1,
    statementTimeoutMs: 500,
    emit: world.events.emit,
  });
  const enqueue = createEnqueue({ db, emit: world.events.emit, onCommitted: () => undefined });
  await expect(enqueue({ job: storyJob(), key: undefined })).rejects.toMatchObject({
    code: 'ledger_unavailable',
    retryAfterSeconds: 2,
  });
  await db.close();
});
