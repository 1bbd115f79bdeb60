// Covers: ledger/begin.ts, ledger/finish.ts, ledger/leases.ts, ledger/retention.ts
// The states as a property: random lives of jobs against the real ledger, checked after every operation. A failure prints
// the seed; set it below to see the same life again.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raiseAged } from '../../ledger/ageing.ts';
import { findDeaths } from '../../ledger/crashes.ts';
import { cancelJob } from '../../ledger/cancel.ts';
import {
  finalStates,
  isFinal,
  moves,
  openStates,
  startableStates,
  type JobState,
} from '../../ledger/moves.ts';
import { limitsOf, rescue } from '../../ledger/rescue.ts';
import { registry } from '../../queues/index.ts';
import { redispatch } from '../../ledger/recover.ts';
import { takeParked } from '../../ledger/parked.ts';
import { expire } from '../../ledger/retention.ts';
import { workerSeen } from '../../ledger/workers.ts';
import { repairWaiters } from '../../ledger/waiters.ts';
import { begunOf, child, failed, interrupted, openLives, succeeded, type Lives } from './lives.ts';
import { addJob, query, setJob } from './world.ts';

const seed = Date.now() % 2 ** 31;
const lifeCount = 12;
const operationsALife = 60;
const runnable = 'generate-story@1/story-generation';

interface Row {
  id: string;
  state: JobState;
  generation: number;
  attempt_no: number;
  failures: number;
  open_children: number;
  dispatched: boolean;
  attempts: number;
  failed: number;
  waited_for: number;
}

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

/** mulberry32: the same numbers for the same seed. */
function randomOf(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function readAll(): Promise<Map<string, Row>> {
  const rows = await query<Row>(
    lives,
    `SELECT id, state::text AS state, generation, attempt_no, failures, open_children, dispatched_at IS NOT NULL AS dispatched,
       (SELECT count(*)::int FROM attempt a WHERE a.job_id = j.id) AS attempts,
       (SELECT count(*)::int FROM attempt a WHERE a.job_id = j.id AND a.outcome = 'failed') AS failed,
       (SELECT count(*)::int FROM job c WHERE c.waiter_id = j.id AND c.state NOT IN ('succeeded', 'dead', 'cancelled', 'expired')) AS waited_for
     FROM job j`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

type Random = ReturnType<typeof randomOf>;
type Operation = (row: Row, random: Random) => Promise<unknown>;

const verdicts = [
  succeeded,
  failed(0),
  failed(null),
  failed(60_000),
  { outcome: 'snoozed', code: 'rate_limited', message: 'slow', retryInMs: 0 } as const,
  interrupted,
  { outcome: 'interrupted', parked: 'too new' } as const,
  { outcome: 'cancelled' } as const,
];

function finish(row: Row, random: Random): Promise<unknown> {
  const verdict = verdicts[random(verdicts.length)] ?? succeeded;
  // One in four speaks for an attempt that is not the current one.
  const attemptNo = row.attempt_no + (random(4) === 0 ? random(3) - 1 : 0);
  return lives.attempts.finish({ jobId: row.id, attemptNo, verdict });
}

async function giveBirth(row: Row): Promise<unknown> {
  if (row.state !== 'running') return undefined;
  const parent = await query<{ waiter_id: string | null; tenant: string }>(
    lives,
    'SELECT waiter_id, tenant FROM job WHERE id = $1',
    [row.id],
  );
  const begun = { jobId: row.id, rootId: null, waiterId: parent[0]?.waiter_id ?? null, tenant: 'acme' };
  const request = { jobId: row.id, attemptNo: row.attempt_no, verdict: succeeded };
  return lives.attempts.finishWithChildren(begun as never, request, [child(), child(), child(true)]);
}

/** In the order of how often: the first ones keep jobs alive. */
const operations: Record<string, Operation> = {
  begin: ({ id, generation }) => lives.attempts.begin({ jobId: id, generation }),
  beginAgain: ({ id, generation }) => lives.attempts.begin({ jobId: id, generation }),
  beginStale: ({ id, generation }) => lives.attempts.begin({ jobId: id, generation: generation - 1 }),
  finish,
  finishAgain: finish,
  giveBirth,
  stamp: ({ id, state }) =>
    isFinal(state) ? Promise.resolve() : setJob(lives, id, 'dispatched_at = coalesce(dispatched_at, now())'),
  makeDue: ({ id }) => setJob(lives, id, 'run_at = now()'),
  redispatch: ({ id, generation }) => redispatch(lives.db, [{ id, generation }]),
  take: () => takeParked(lives.db, { knows: [runnable], queue: 'story-generation', limit: 10 }),
  async age({ id }) {
    await setJob(lives, id, 'priority = 10');
    return raiseAged(lives.db, ['story-generation'], 0);
  },
  async rescue({ id }) {
    await setJob(lives, id, `lease_until = now() - interval '1 s'`);
    return rescue(lives.db, limitsOf(registry), 60_000);
  },
  async crash({ id }) {
    await setJob(lives, id, `lease_until = now() - interval '1 s'`);
    await query(lives, `UPDATE worker SET seen_at = now() - interval '1 min', crashed_at = NULL`);
    await findDeaths(lives.db, 1_000);
    return rescue(lives.db, limitsOf(registry), 1_000);
  },
  comeBack: () => workerSeen(lives.db, lives.workerId),
  async expire({ id }, random) {
    if (random(4) === 0) await setJob(lives, id, `give_up_at = now() - interval '1 s'`);
    return expire(lives.db);
  },
  cancel: ({ id }, random) =>
    random(3) === 0
      ? cancelJob(lives.db, { id, tenant: undefined }).catch(() => 'it had ended')
      : Promise.resolve(),
};
const names = Object.keys(operations);

/** Whether `to` can be reached from `from` in at most `steps` moves of the table. */
function reaches(from: JobState, to: JobState, steps: number): boolean {
  return from === to || (steps > 0 && moves[from].some((next) => reaches(next, to, steps - 1)));
}

function checkMove(before: Row, after: Row, done: readonly string[]): void {
  expect({
    done,
    from: before.state,
    to: after.state,
    allowed: reaches(before.state, after.state, done.length),
  }).toMatchObject({ allowed: true });
  if (isFinal(before.state)) return expect(after).toEqual({ ...before, waited_for: after.waited_for });
  const raised = after.generation - before.generation;
  const cameBack = after.attempts > before.attempts && startable(after.state);
  expect({ done, raised, low: raised >= (cameBack ? 1 : 0), high: raised <= done.length }).toMatchObject({
    low: true,
    high: true,
  });
  // A new generation waits for the relay, unless it began already or a concurrent operation stamped it.
  if (raised > 0 && done.length === 1) expect([after.state, after.dispatched]).toEqual([after.state, false]);
  if (raised > 0 && done.length === 1) expect(startable(after.state)).toBe(true);
}

function startable(state: JobState): boolean {
  return (startableStates as readonly JobState[]).includes(state);
}

function checkRow(row: Row, done: readonly string[]): void {
  const running = row.state === 'running' ? 1 : 0;
  expect({ done, ...row, attempts: row.attempts + running, failures: row.failures }).toMatchObject({
    attempts: row.attempt_no,
    failures: row.failed,
  });
  if (row.state === 'blocked') expect(row.open_children).toBe(row.waited_for);
}

async function live(random: Random): Promise<void> {
  for (let count = 0; count < 3; count += 1) await addJob(lives);
  let before = await readAll();
  for (let count = 0; count < operationsALife; count += 1) {
    const jobs = [...before.values()];
    const target = jobs[random(jobs.length)];
    if (target === undefined) return;
    // Every third time two at once, on the same job.
    const done = Array.from(
      { length: random(3) === 0 ? 2 : 1 },
      () => names[random(names.length)] ?? 'begin',
    );
    await Promise.all(done.map(async (name) => operations[name]?.(target, random)));
    const after = await readAll();
    for (const row of after.values()) {
      const known = before.get(row.id);
      if (known !== undefined) checkMove(known, row, done);
      checkRow(row, done);
    }
    before = after;
  }
}

test('no life of a job leaves the table of moves, loses count of attempts or wakes a waiter too early', async () => {
  const random = randomOf(seed);
  for (let life = 0; life < lifeCount; life += 1) {
    await live(random).catch((error: unknown) => {
      throw new Error(`seed ${seed}, life ${life}: ${String(error)}`, { cause: error });
    });
    await query(lives, 'TRUNCATE job, attempt');
  }
  expect(await repairWaiters(lives.db)).toBe(0);
});

test('the table of moves knows every state, ends in the final ones and nowhere else', () => {
  expect([...openStates, ...finalStates].toSorted()).toEqual(Object.keys(moves).toSorted());
  expect((Object.keys(moves) as JobState[]).filter(isFinal).toSorted()).toEqual([...finalStates].toSorted());
});

test('a begin takes a job once, early ones are put back and stale ones are gone', async () => {
  const due = await addJob(lives);
  const later = await addJob(lives, { delayMs: 60_000 });
  const answers = await Promise.all(
    [due, due, due, later].map((jobId) => lives.attempts.begin({ jobId, generation: 1 })),
  );
  expect(answers.filter((answer) => 'begun' in answer)).toHaveLength(1);
  expect(answers[3]).toEqual({ refused: 'early' });
  expect((await readAll()).get(later)).toMatchObject({
    state: 'scheduled',
    generation: 2,
    dispatched: false,
  });
  expect(await lives.attempts.begin({ jobId: later, generation: 1 })).toEqual({ refused: 'gone' });
});

test('the outcome of an attempt that was taken over is refused, also in one batch with the current one', async () => {
  await workerSeen(lives.db, lives.workerId); // whatever was done to it before
  const first = await lives.start();
  await setJob(lives, first.jobId, `lease_until = now() - interval '1 s'`);
  await rescue(lives.db, limitsOf(registry), 60_000);
  const second = begunOf(await lives.attempts.begin({ jobId: first.jobId, generation: 2 }));
  const [stale, current] = await Promise.all(
    [first, second].map(({ jobId, attemptNo }) =>
      lives.attempts.finish({ jobId, attemptNo, verdict: succeeded }),
    ),
  );
  expect([stale?.state, current?.state]).toEqual([undefined, 'succeeded']);
});
