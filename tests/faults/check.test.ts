// The checker finds what it is for: each invariant is broken by hand, and it says which one and by whom. A checker that is
// happy with anything would make every row of the fault table green.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from '../ledger/world.ts';
import { allInvariants, checkInvariants, type Evidence, type Invariant } from './kit/check.ts';
import type { Caller, Sent } from './kit/client.ts';
import type { Member } from './kit/fleet.ts';

let world: LedgerWorld;
let id: string;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());
beforeEach(async () => {
  await query(world, 'TRUNCATE job, attempt, step, idempotency');
  id = await addJob(world);
  await end(id, 1, 'succeeded');
  await setJob(world, id, `state = 'succeeded', attempt_no = 1`);
});

async function end(
  job: string,
  attemptNo: number,
  outcome: string,
  endedAt = 'clock_timestamp()',
): Promise<void> {
  await query(
    world,
    `INSERT INTO attempt (job_id, attempt_no, generation, outcome, started_at, ended_at)
      VALUES ('${job}', ${attemptNo}, ${attemptNo}, '${outcome}', clock_timestamp(), ${endedAt})`,
  );
}

interface Seen {
  acknowledged?: string[];
  wishes?: { key: string; jobId: undefined }[];
  sent?: Partial<Sent>[];
  charged?: string[];
  /** When all of it was charged. */
  chargedAt?: number;
  lines?: string[];
  disagreement?: string[];
}

/** What is broken, by its first words; `nothing` when all holds. */
async function broken(seen: Seen = {}, names: readonly Invariant[] = allInvariants): Promise<string> {
  const sent = (seen.sent ?? []).map((one) => ({ key: 'k', sentAt: 0, ms: 1, status: 202, ...one }));
  const evidence: Evidence = {
    db: world.db,
    caller: {
      sent,
      wishes: seen.wishes ?? [],
      acknowledged: () => seen.acknowledged ?? [id],
    } as unknown as Caller,
    charged: (seen.charged ?? []).map((step) => ({ step, at: seen.chargedAt ?? 0 })),
    members: [{ name: 'work-1', lines: seen.lines ?? [] } as unknown as Member],
    texts: [],
    disagreement: () => Promise.resolve(seen.disagreement ?? []),
    attemptsOf: () => 3,
    canaries: ['Ottilie'],
  };
  return checkInvariants(evidence, names).then(
    () => 'nothing',
    (thrown: unknown) => (thrown as Error).message.split('\n').slice(1).join('\n'),
  );
}

test('what is right passes, and what happened on the way is counted', async () => {
  await end(id, 2, 'lost');
  expect(await broken()).toContain('I3'); // a success that is not the last attempt
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'lost');
  await end(id, 2, 'succeeded');
  await setJob(world, id, 'attempt_no = 2');
  expect(await broken({ charged: [`${id}:a`, `${id}:a`, `${id}:b`] })).toBe('nothing');
});

test('I1: a wish that was not accepted', async () => {
  expect(await broken({ wishes: [{ key: 'wish-1', jobId: undefined }] })).toBe(
    'I1: 1: wish-1 was not accepted',
  );
});

test('I1: a job that was acknowledged and is not there, and one that has not ended', async () => {
  const lost = newId();
  expect(await broken({ acknowledged: [id, lost] })).toBe(`I1: 1: ${lost}`);
  const open = await addJob(world);
  expect(await broken({ acknowledged: [id, open] })).toBe(`I1: 1: ${open}`);
});

test('I2: a job that nobody asked for', async () => {
  expect(await broken({ acknowledged: [] })).toBe(`I2: 1: ${id}`);
});

test('I3: two successes, and a success that nobody wrote', async () => {
  await end(id, 2, 'succeeded');
  expect(await broken()).toContain(`I3: 1: ${id}`);
  await query(world, 'TRUNCATE attempt');
  expect(await broken()).toBe(`I3: 1: ${id}`);
});

test('I3: an outcome that was told twice', async () => {
  const line = `{"jobId":"${id}","state":"succeeded","recorded":true}`;
  expect(await broken({ lines: [line] })).toBe('nothing');
  expect(await broken({ lines: [line, line] })).toBe(`I3: 1: ${id} ended twice`);
});

test('I4: a step that was paid again after its answer was stored, whatever happened to its job', async () => {
  await query(
    world,
    `INSERT INTO step (job_id, name, attempt_no, result, duration_ms) VALUES ('${id}', 'a', 1, '1', 1)`,
  );
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'lost');
  await end(id, 2, 'succeeded');
  await setJob(world, id, 'attempt_no = 2');
  const charged = [`${id}:a`, `${id}:a`];
  expect(await broken({ charged }, ['I4'])).toBe('nothing');
  expect(await broken({ charged, chargedAt: Date.now() + 1_000 }, ['I4'])).toContain(
    'after its answer was stored',
  );
});

test('I4: a step that was charged twice without a call of unknown outcome', async () => {
  expect(await broken({ charged: [`${id}:a`, `${id}:a`] })).toBe(`I4: 1: ${id}:a (2 calls)`);
});

test('I4: more calls than unknown ends, over the steps of a job that makes them one after the other', async () => {
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'lost');
  await end(id, 2, 'succeeded');
  await setJob(world, id, `attempt_no = 2, kind = 'pay'`);
  const charged = ['a', 'a', 'b', 'c'].map((step) => `${id}:${step}`);
  expect(await broken({ charged }, ['I4'])).toBe('nothing');
  expect(await broken({ charged: [...charged, `${id}:b`] }, ['I4'])).toBe(
    `I4: 1: ${id} (2 extra calls, 1 of unknown end)`,
  );
});

test('I5: a step that an attempt stored after its end', async () => {
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'succeeded', `clock_timestamp() - interval '1 s'`);
  await query(
    world,
    `INSERT INTO step (job_id, name, attempt_no, result, duration_ms) VALUES ('${id}', 'a', 1, '1', 1)`,
  );
  expect(await broken()).toBe(`I5: 1: ${id}:a`);
});

test('I6: a failure that was not counted, and one that was made up', async () => {
  await setJob(world, id, 'failures = 1');
  expect(await broken()).toBe(`I6: 1: ${id} (1 failures)`);
  await setJob(world, id, 'failures = 0, attempt_no = 2');
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'failed');
  await end(id, 2, 'succeeded');
  expect(await broken()).toBe(`I6: 1: ${id} (0 failures)`);
});

test('I6: a neighbour that a crash was charged to, and more failures than there are attempts', async () => {
  await query(world, 'TRUNCATE attempt');
  await end(id, 1, 'crashed');
  await end(id, 2, 'succeeded');
  await setJob(world, id, 'failures = 1, attempt_no = 2');
  expect(await broken()).toBe(`I6: 1: ${id} (1 failures)`);
  await query(world, 'TRUNCATE attempt');
  for (const number of [1, 2, 3, 4]) await end(id, number, 'failed');
  await end(id, 5, 'succeeded');
  await setJob(world, id, 'failures = 4, attempt_no = 5');
  expect(await broken()).toBe(`I6: 1: ${id} (4 failures)`);
});

test('I8: jobs that the engine was given and has not', async () => {
  expect(await broken({ disagreement: ['3 waiting of play'] })).toBe('I8: 1: 3 waiting of play');
});

test('I9: a late answer, a 500, an untyped one, none, and one that does not say when to come again', async () => {
  const sent = [
    { ms: 5_001 },
    { status: 500, code: 'internal' },
    { status: 404, code: 'untyped' },
    { status: 0, failure: 'cut' as const },
    { status: 503, code: 'ledger_unavailable' }, // without saying when to come again
    { status: 503, code: 'ledger_unavailable', retryAfterS: 1 },
    { status: 422, code: 'validation_failed' },
  ];
  expect(await broken({ sent })).toMatch(/^I9: 5: k 202 {2}5001 ms, k 500 internal/);
});

test('I12: personal data in a log or a problem, and an error that nobody meant to write', async () => {
  expect(await broken({ lines: ['{"message":"hello Ottilie"}'] })).toContain('I12: 1: work-1');
  expect(await broken({ lines: ['TypeError: x is not a function'] })).toContain('I12: 1: work-1');
  expect(await broken({ sent: [{ status: 422, code: 'x', body: '{"detail":"Ottilie"}' }] })).toContain(
    'I12: 1: problem',
  );
});
