// An outcome that was written and whose answer was lost is sent again: it is told as recorded, with the state it led to.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Verdict } from '../../ledger/finish.ts';
import { begunOf, child, failed, interrupted, openLives, succeeded, type Lives } from './lives.ts';
import { query } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

async function sendTwice(verdict: Verdict, plain: boolean): Promise<(string | undefined)[]> {
  const { jobId, attemptNo } = await lives.start();
  const request = { jobId, attemptNo, verdict, plain };
  return [(await lives.attempts.finish(request)).state, (await lives.attempts.finish(request)).state];
}

test('whatever the outcome was, the second sending is told the state of the first', async () => {
  expect(await sendTwice(succeeded, true)).toEqual(['succeeded', 'succeeded']);
  expect(await sendTwice(succeeded, false)).toEqual(['succeeded', 'succeeded']);
  expect(await sendTwice(failed(60_000), false)).toEqual(['retrying', 'retrying']);
  expect(await sendTwice(failed(null), false)).toEqual(['dead', 'dead']);
  expect(await sendTwice(interrupted, false)).toEqual(['waiting', 'waiting']);
});

test('a failure is recognised also when the next attempt runs already', async () => {
  const { jobId, attemptNo } = await lives.start();
  const request = { jobId, attemptNo, verdict: failed(0) };
  await lives.attempts.finish(request);
  begunOf(await lives.attempts.begin({ jobId, generation: 2 }));
  expect((await lives.attempts.finish(request)).state).toBe('retrying');
  const [job] = await query<{ state: string; failures: number }>(
    lives,
    `SELECT state::text, failures::int FROM job WHERE id = '${jobId}'`,
  );
  expect(job).toEqual({ state: 'running', failures: 1 });
});

test('a parent whose answer was lost gives birth once, and is told that it succeeded', async () => {
  const parent = await lives.start();
  const request = { jobId: parent.jobId, attemptNo: 1, verdict: succeeded };
  await lives.attempts.finishWithChildren(parent, request, [child()]);
  expect((await lives.attempts.finishWithChildren(parent, request, [child()])).state).toBe('succeeded');
  const born = await query(lives, `SELECT id FROM job WHERE parent_id = '${parent.jobId}'`);
  expect(born).toHaveLength(1);
});

test('another outcome than the written one, and that of a stranger, stay refused', async () => {
  const { jobId, attemptNo } = await lives.start();
  await lives.attempts.finish({ jobId, attemptNo, verdict: succeeded });
  expect((await lives.attempts.finish({ jobId, attemptNo, verdict: failed(null) })).state).toBeUndefined();
  await query(lives, `UPDATE attempt SET worker_id = NULL WHERE job_id = '${jobId}'`);
  expect((await lives.attempts.finish({ jobId, attemptNo, verdict: succeeded })).state).toBeUndefined();
});
