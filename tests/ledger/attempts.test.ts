// Covers: ledger/family.ts, ledger/insert.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Begun } from '../../ledger/begin.ts';
import { begunOf, child, failed, openLives, succeeded, type Lives } from './lives.ts';
import { addJob, query, setJob, stateOf } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

function succeedWith({ jobId, attemptNo }: Begun, result: string): Promise<unknown> {
  return lives.attempts.finish({ jobId, attemptNo, verdict: { outcome: 'succeeded', result } });
}

async function startMany(count: number): Promise<Begun[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => addJob(lives)));
  const answers = await Promise.all(ids.map((jobId) => lives.attempts.begin({ jobId, generation: 1 })));
  return answers.map(begunOf);
}

test('300 begins and 300 outcomes at once share a handful of statements', async () => {
  lives.sent.length = 0;
  const begun = await startMany(300);
  expect(lives.sent.filter((name) => name === 'attempt_begin').length).toBeLessThanOrEqual(3);
  const finished = await Promise.all(
    begun.map(({ jobId, attemptNo }) => lives.attempts.finish({ jobId, attemptNo, verdict: succeeded })),
  );
  expect(finished.every(({ state }) => state === 'succeeded')).toBe(true);
  expect(lives.sent.filter((name) => name === 'attempt_finish').length).toBeLessThanOrEqual(3);
});

test('an outcome that PostgreSQL refuses takes no other one with it', async () => {
  const [bad, ...good] = await startMany(5);
  const [refused, ...taken] = await Promise.allSettled([
    bad === undefined ? Promise.resolve() : succeedWith(bad, '{ this is no JSON'),
    ...good.map((begun) => succeedWith(begun, '{"fine":true}')),
  ]);
  expect(refused?.status).toBe('rejected');
  expect(taken.map((one) => one.status === 'fulfilled' && one.value)).toMatchObject(
    good.map(() => ({ state: 'succeeded' })),
  );
});

test('children are born with the success of their parent and inherit its tenant, root and waiter', async () => {
  const parent = await lives.start();
  const request = { jobId: parent.jobId, attemptNo: 1, verdict: succeeded };
  const { dispatches } = await lives.attempts.finishWithChildren(parent, request, [
    child(),
    child(),
    child(true),
  ]);
  const family = await query<{
    id: string;
    state: string;
    waiter_id: string | null;
    tenant: string;
    root_id: string;
  }>(
    lives,
    'SELECT id, state::text AS state, waiter_id, tenant, root_id FROM job WHERE parent_id = $1 ORDER BY id',
    [parent.jobId],
  );
  const waiter = family.find((job) => job.state === 'blocked');
  expect(family.map((job) => [job.tenant, job.root_id])).toEqual(family.map(() => ['acme', parent.jobId]));
  expect(family.filter((job) => job.waiter_id === waiter?.id)).toHaveLength(2);
  // The blocked one is not for the engine yet.
  expect(dispatches.map((one) => one.id).toSorted()).toEqual(
    family
      .filter((job) => job !== waiter)
      .map((job) => job.id)
      .toSorted(),
  );
});

test('no child is born of an attempt that was taken over, cancelled or refused', async () => {
  const taken = await lives.start();
  await setJob(lives, taken.jobId, 'attempt_no = 2');
  const cancelled = await lives.start();
  await setJob(lives, cancelled.jobId, 'cancel_requested_at = now()');
  lives.born.length = 0;
  const states = [];
  for (const begun of [taken, cancelled]) {
    const request = { jobId: begun.jobId, attemptNo: 1, verdict: succeeded };
    states.push((await lives.attempts.finishWithChildren(begun, request, [child()])).state);
  }
  const twoWaiters = await lives.start();
  const request = { jobId: twoWaiters.jobId, attemptNo: 1, verdict: succeeded };
  await expect(
    lives.attempts.finishWithChildren(twoWaiters, request, [child(true), child(true)]),
  ).rejects.toThrow('two children wait for the rest');
  const parents = [taken, cancelled, twoWaiters].map(({ jobId }) => jobId);
  expect(states).toEqual([undefined, 'cancelled']);
  expect(await query(lives, 'SELECT id FROM job WHERE parent_id = ANY($1::uuid[])', [parents])).toEqual([]);
  expect(lives.born).toEqual([]);
});

test('a renewal tells which attempts are no longer ours and which were asked to stop', async () => {
  const [kept, lost, asked] = await startMany(3);
  await setJob(lives, lost?.jobId ?? '', 'attempt_no = 2');
  await setJob(lives, asked?.jobId ?? '', 'cancel_requested_at = now()');
  const leases = [kept, lost, asked].map((begun) => ({ jobId: begun?.jobId ?? '', attemptNo: 1 }));
  expect(await lives.attempts.renew(leases)).toEqual({
    lost: [lost?.jobId],
    cancelled: [asked?.jobId],
    locked: 0,
  });
});

test('a row that somebody has locked costs no other attempt its lease, and is not taken for lost', async () => {
  const [locked, free] = await startMany(2);
  const leases = [locked, free].map((begun) => ({ jobId: begun?.jobId ?? '', attemptNo: 1 }));
  const leaseOf = async ({ jobId }: { jobId: string }) =>
    (
      await query<{ until: string }>(lives, 'SELECT lease_until::text AS until FROM job WHERE id = $1', [
        jobId,
      ])
    )[0]?.until;
  const before = await Promise.all(leases.map(leaseOf));
  const operator = new Client({ connectionString: lives.url });
  await operator.connect();
  await operator.query('BEGIN');
  await operator.query('UPDATE storytime.job SET progress = 1 WHERE id = $1', [locked?.jobId]);
  expect(await lives.attempts.renew(leases)).toEqual({ lost: [], cancelled: [], locked: 1 });
  const after = await Promise.all(leases.map(leaseOf));
  expect(after.map((until, index) => until === before[index])).toEqual([true, false]);
  await operator.query('ROLLBACK');
  await operator.end();
  expect(await lives.attempts.renew(leases)).toEqual({ lost: [], cancelled: [], locked: 0 });
  expect(await leaseOf({ jobId: locked?.jobId ?? '' })).not.toBe(before[0]);
});

test('an outcome past the time to give up is an expiry', async () => {
  const begun = await lives.start();
  await setJob(lives, begun.jobId, `give_up_at = now() + interval '1 s'`);
  const { state } = await lives.attempts.finish({ jobId: begun.jobId, attemptNo: 1, verdict: failed(5_000) });
  expect([state, await stateOf(lives, begun.jobId)]).toEqual(['expired', 'expired']);
});
