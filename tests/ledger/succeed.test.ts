// The short way of a success, and the fence that makes a begin safe whose commit is not waited for.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAttempts } from '../../ledger/attempts.ts';
import { newId } from '../../shared/ids.ts';
import { begunOf, openLives, succeeded, type Lives } from './lives.ts';
import { query, setJob, stateOf } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

test('a plain success takes the short way and leaves its attempt', async () => {
  const { jobId, attemptNo } = await lives.start();
  lives.sent.length = 0;
  const finished = await lives.attempts.finish({ jobId, attemptNo, verdict: succeeded, plain: true });
  expect(finished).toEqual({ state: 'succeeded', dispatches: [] });
  expect(lives.sent).toEqual(['attempt_succeed']);
  const attempts = await lives.db.prisma.attempt.findMany({ where: { jobId } });
  expect(attempts).toMatchObject([
    { attemptNo: 1, outcome: 'succeeded', generation: 1, workerId: lives.workerId },
  ]);
});

test('a success that was cancelled meanwhile goes the general way and is cancelled', async () => {
  const { jobId, attemptNo } = await lives.start();
  await query(lives, `UPDATE job SET cancel_requested_at = now() WHERE id = '${jobId}' RETURNING 1`);
  const finished = await lives.attempts.finish({ jobId, attemptNo, verdict: succeeded, plain: true });
  expect(finished.state).toBe('cancelled');
});

test('a begin that a crash of PostgreSQL took back cannot write over the attempt of the next worker', async () => {
  const lost = await lives.start();
  // What the crash leaves: the row as it was before the begin.
  await query(
    lives,
    `UPDATE job SET state = 'waiting', attempt_no = 0, worker_id = NULL WHERE id = '${lost.jobId}' RETURNING 1`,
  );
  const workerId = newId();
  const other = createAttempts({
    ...lives,
    workerId,
    leaseMs: 60_000,
    emit: lives.events.emit,
    onCommitted: () => undefined,
  });
  const next = begunOf(await other.begin({ jobId: lost.jobId, generation: 1 }));
  expect(next.attemptNo).toBe(lost.attemptNo);
  const stale = { jobId: lost.jobId, attemptNo: lost.attemptNo };
  expect(await lives.attempts.renew([stale])).toEqual({ lost: [lost.jobId], cancelled: [], locked: 0 });
  for (const plain of [true, false]) {
    expect(await lives.attempts.finish({ ...stale, verdict: succeeded, plain })).toMatchObject({
      state: undefined,
    });
  }
  expect(await stateOf(lives, lost.jobId)).toBe('running');
  expect(await other.finish({ ...stale, verdict: succeeded, plain: true })).toMatchObject({
    state: 'succeeded',
  });
});

test('a stale attempt does not pass for the current one that succeeds in the same batch', async () => {
  const { jobId, attemptNo } = await lives.start();
  await setJob(lives, jobId, 'attempt_no = 2');
  const [stale, current] = await Promise.all(
    [attemptNo, 2].map((number) =>
      lives.attempts.finish({ jobId, attemptNo: number, verdict: succeeded, plain: true }),
    ),
  );
  expect([stale?.state, current?.state]).toEqual([undefined, 'succeeded']);
});

test('a failure of the others in a batch leaves its plain successes told', async () => {
  const [plain, other] = [await lives.start(), await lives.start()];
  const broken = createAttempts({
    ...lives,
    leaseMs: 60_000,
    emit: lives.events.emit,
    onCommitted: () => undefined,
    db: {
      ...lives.db,
      run(statement, values) {
        if (statement.name === 'attempt_finish') return Promise.reject(new Error('Connection terminated'));
        return lives.db.run(statement, values);
      },
    },
  });
  const outcomes = await Promise.allSettled([
    broken.finish({ jobId: plain.jobId, attemptNo: 1, verdict: succeeded, plain: true }),
    broken.finish({ jobId: other.jobId, attemptNo: 1, verdict: succeeded }),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'fulfilled', value: { state: 'succeeded' } },
    { status: 'rejected' },
  ]);
  expect(await stateOf(lives, other.jobId)).toBe('running');
});
