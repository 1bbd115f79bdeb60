import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cancelJob } from '../../ledger/cancel.ts';
import { repairWaiters } from '../../ledger/waiters.ts';
import { expire } from '../../ledger/retention.ts';
import { begunOf, child, failed, openLives, succeeded, type Lives } from './lives.ts';
import { addJob, query, setJob, stateOf } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

interface Family {
  waiter: string;
  children: string[];
}

/** Ends the running attempt of a job with children and a waiter; gives the family it left behind. */
async function birth(jobId: string, generation: number, count: number): Promise<Family> {
  const begun = begunOf(await lives.attempts.begin({ jobId, generation }));
  const request = { jobId, attemptNo: begun.attemptNo, verdict: succeeded };
  const children = Array.from({ length: count }, () => child());
  await lives.attempts.finishWithChildren(begun, request, [...children, child(true)]);
  const rows = await query<{ id: string; blocked: boolean }>(
    lives,
    `SELECT id, state = 'blocked' AS blocked FROM job WHERE parent_id = $1 ORDER BY id`,
    [jobId],
  );
  return {
    waiter: rows.find((row) => row.blocked)?.id ?? '',
    children: rows.filter((row) => !row.blocked).map((row) => row.id),
  };
}

async function newFamily(count: number): Promise<Family> {
  const { jobId } = await lives.start();
  await setJob(lives, jobId, `state = 'waiting'`);
  return birth(jobId, 1, count);
}

async function end(jobId: string, verdict = succeeded): Promise<void> {
  const begun = begunOf(await lives.attempts.begin({ jobId, generation: 1 }));
  await lives.attempts.finish({ jobId, attemptNo: begun.attemptNo, verdict });
}

test('a family has the priority that was asked for and the request id, also when its parent was raised for its age', async () => {
  const jobId = await addJob(lives, { priority: 10, requestId: 'req-7' });
  await setJob(lives, jobId, `priority = 1, aged_from = 10`);
  const { waiter, children } = await birth(jobId, 1, 1);
  const rows = await query(
    lives,
    'SELECT DISTINCT priority, aged_from, request_id FROM job WHERE id = ANY($1::uuid[])',
    [[waiter, ...children]],
  );
  expect(rows).toEqual([{ priority: 10, aged_from: null, request_id: 'req-7' }]);
});

test('children that die, are cancelled or expire count down like those that succeed, and the last one wakes', async () => {
  const { waiter, children } = await newFamily(4);
  const [good = '', dead = '', cancelled = '', late = ''] = children;
  await end(good);
  await end(dead, failed(null));
  await cancelJob(lives.db, { id: cancelled, tenant: undefined });
  expect(await stateOf(lives, waiter)).toBe('blocked');
  await setJob(lives, late, `give_up_at = now() - interval '1 s'`);
  const { dispatches } = await expire(lives.db);
  expect(dispatches.map((one) => one.id)).toEqual([waiter]);
  expect(await stateOf(lives, waiter)).toBe('waiting');
});

test('a waiter whose children used up the day has a day of its own from their end', async () => {
  const { waiter, children } = await newFamily(1);
  for (const id of [waiter, ...children])
    await setJob(lives, id, `run_at = now() - interval '25 h', give_up_at = now() - interval '1 h'`);
  expect(await expire(lives.db)).toMatchObject({ expired: [{}], dispatches: [{ id: waiter }] });
  expect(await expire(lives.db)).toEqual({ expired: [], dispatches: [] });
  const [row] = await query(
    lives,
    `SELECT state, round(extract(epoch FROM give_up_at - now()) / 3600)::int AS hours FROM job WHERE id = $1`,
    [waiter],
  );
  expect(row).toEqual({ state: 'waiting', hours: 24 });
});

test('the last child to end hands the waiter on, to be carried to the engine at once', async () => {
  const { waiter, children } = await newFamily(3);
  lives.returned.length = 0;
  await Promise.all(children.map((id) => end(id)));
  expect(lives.returned.map((one) => one.id)).toEqual([waiter]);
});

test('a waiter waits for the waiter of a family that one of its children made', async () => {
  const outer = await newFamily(2);
  const [plain = '', parent = ''] = outer.children;
  const inner = await birth(parent, 1, 2);
  await end(plain);
  // Left of the outer family: the inner waiter, which counts for the parent that ended.
  for (const id of inner.children) {
    expect(await stateOf(lives, inner.waiter)).toBe('blocked');
    await end(id);
  }
  expect([await stateOf(lives, inner.waiter), await stateOf(lives, outer.waiter)]).toEqual([
    'waiting',
    'blocked',
  ]);
  await end(inner.waiter);
  expect(await stateOf(lives, outer.waiter)).toBe('waiting');
});

test('a child enqueued by a child is waited for as well', async () => {
  const { waiter, children } = await newFamily(1);
  const [only = ''] = children;
  const begun = begunOf(await lives.attempts.begin({ jobId: only, generation: 1 }));
  const request = { jobId: only, attemptNo: 1, verdict: succeeded };
  await lives.attempts.finishWithChildren(begun, request, [child(), child()]);
  const grandchildren = await query<{ id: string }>(lives, 'SELECT id FROM job WHERE parent_id = $1', [only]);
  expect(grandchildren).toHaveLength(2);
  await end(grandchildren[0]?.id ?? '');
  expect(await stateOf(lives, waiter)).toBe('blocked');
  await end(grandchildren[1]?.id ?? '');
  expect(await stateOf(lives, waiter)).toBe('waiting');
});

test('cancelling the parent cancels the family with its waiter, and nobody is woken', async () => {
  const { jobId } = await lives.start();
  await setJob(lives, jobId, `state = 'waiting'`);
  const { waiter, children } = await birth(jobId, 1, 3);
  await setJob(lives, jobId, `state = 'waiting'`); // an open parent, as after a replay
  await cancelJob(lives.db, { id: jobId, tenant: undefined });
  const states = await Promise.all([waiter, ...children].map((id) => stateOf(lives, id)));
  expect(new Set(states)).toEqual(new Set(['cancelled']));
});

test('the repair finds nothing in health and mends a count that is wrong', async () => {
  const { waiter, children } = await newFamily(2);
  await query(lives, `UPDATE job SET created_at = now() - interval '1 min' WHERE state = 'blocked'`);
  expect(await repairWaiters(lives.db)).toBe(0);
  await setJob(lives, waiter, 'open_children = 7');
  expect(await repairWaiters(lives.db)).toBe(1);
  for (const id of children) await setJob(lives, id, `state = 'succeeded'`);
  await setJob(lives, waiter, `run_at = now() - interval '25 h', give_up_at = now() - interval '1 h'`);
  expect(await repairWaiters(lives.db)).toBe(1);
  expect(await expire(lives.db)).toMatchObject({ expired: [] });
  expect([await stateOf(lives, waiter), await repairWaiters(lives.db)]).toEqual(['waiting', 0]);
});
