import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cancelJob, type Cancelled } from '../../ledger/cancel.ts';
import type { Db } from '../../ledger/db.ts';
import { newId } from '../../shared/ids.ts';
import { eventually } from '../support/house.ts';
import { worker } from './deaths.ts';
import { begunOf, child as childOf, succeeded } from './lives.ts';
import { addJob, openLedger, query, setJob, stateOf, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

/** A waiting child like its parent. */
const birth = {
  name: 'test_birth',
  text: `INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object('id', $2::uuid, 'parent_id', id, 'state', 'waiting'))).*
    FROM job WHERE id = $1 RETURNING id`,
};

const acme = (id: string) => ({ id, tenant: 'acme' });

test.each(['waiting', 'scheduled', 'retrying', 'snoozed', 'parked', 'blocked'])(
  'a job that is %s is cancelled at once, and the engine is told which delivery to forget',
  async (state) => {
    const id = await addJob(world);
    await setJob(world, id, `state = '${state}', generation = 3`);
    const queue = 'story-generation';
    const removed = [{ id, generation: 3, queue, ownQueue: queue, kind: 'generate-story' }];
    expect(await cancelJob(world.db, acme(id))).toEqual({ state: 'cancelled', asked: false, removed });
    expect(await stateOf(world, id)).toBe('cancelled');
  },
);

test('a running job is asked to stop, and asking twice changes nothing', async () => {
  const id = await addJob(world);
  await setJob(world, id, `state = 'running', started_at = now()`);
  for (let click = 0; click < 2; click += 1)
    expect(await cancelJob(world.db, acme(id))).toEqual({ state: 'running', asked: true, removed: [] });
  expect(await stateOf(world, id)).toBe('running');
});

test('two clicks at the same time get the same answer, and one of them did it', async () => {
  const id = await addJob(world);
  const answers = await Promise.all([cancelJob(world.db, acme(id)), cancelJob(world.db, acme(id))]);
  expect(answers.map((answer) => answer.state)).toEqual(['cancelled', 'cancelled']);
  expect(answers.flatMap((answer) => answer.removed)).toHaveLength(1);
});

test.each(['succeeded', 'dead', 'expired'])('a job that is %s stays so', async (state) => {
  const id = await addJob(world);
  await setJob(world, id, `state = '${state}', finished_at = now()`);
  await expect(cancelJob(world.db, acme(id))).rejects.toMatchObject({
    code: 'invalid_state',
    details: { state },
  });
});

test('the job of another tenant is not there', async () => {
  const id = await addJob(world);
  await expect(cancelJob(world.db, { id, tenant: 'neighbour' })).rejects.toMatchObject({
    code: 'job_not_found',
  });
  await expect(cancelJob(world.db, acme(newId()))).rejects.toMatchObject({ code: 'job_not_found' });
  expect(await stateOf(world, id)).toBe('waiting');
});

test('cancelling the last child that a job waits for sets that job free', async () => {
  const waiter = await addJob(world, { blocked: true, openChildren: 2 });
  const children = [await addJob(world, { waiterId: waiter }), await addJob(world, { waiterId: waiter })];
  await cancelJob(world.db, acme(children[0] ?? ''));
  expect(await stateOf(world, waiter)).toBe('blocked');
  await cancelJob(world.db, acme(children[1] ?? ''));
  await cancelJob(world.db, acme(children[1] ?? ''));
  expect(await stateOf(world, waiter)).toBe('waiting');
});

test('a family is cancelled by its head, which has succeeded: children, their waiter; those that run are asked', async () => {
  const outer = await addJob(world, { blocked: true, openChildren: 1 });
  const root = await addJob(world);
  await setJob(world, root, `state = 'succeeded', finished_at = now()`);
  const below = { parentId: root, rootId: root };
  const waiter = await addJob(world, { ...below, blocked: true, openChildren: 2, waiterId: outer });
  const resting = await addJob(world, { ...below, waiterId: waiter });
  const running = await addJob(world, { ...below, waiterId: waiter });
  await setJob(world, running, `state = 'running', started_at = now()`);
  const { state, asked, removed } = await cancelJob(world.db, acme(root));
  expect([state, asked]).toEqual(['succeeded', true]);
  expect(removed.map((row) => row.id).sort()).toEqual([waiter, resting].sort());
  expect(await stateOf(world, running)).toBe('running');
  expect(await stateOf(world, waiter)).toBe('cancelled');
  expect(await stateOf(world, outer)).toBe('waiting');
  expect(await cancelJob(world.db, acme(root))).toEqual({ state, asked, removed: [] });
  await setJob(world, running, `state = 'cancelled', finished_at = now()`);
  await expect(cancelJob(world.db, acme(root))).rejects.toMatchObject({ code: 'invalid_state' });
});

test.each([
  ['is younger', 'waiter'],
  ['is older', 'child'],
])('a birth and a cancel take the child first, then who waits for it: who waits %s', async (_age, first) => {
  const root = await addJob(world);
  await setJob(world, root, `state = 'succeeded', finished_at = now()`);
  const ids = [newId(), newId()].sort();
  const [id = '', waiterId = ''] = first === 'waiter' ? ids : ids.toReversed();
  const below = { parentId: root, rootId: root };
  await addJob(world, { ...below, id: waiterId, blocked: true, openChildren: 1 });
  await addJob(world, { ...below, id, waiterId });
  const { attempts } = await worker(world);
  const begun = begunOf(await attempts.begin({ jobId: id, generation: 1 }));
  const locks = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const waiting = (count: number) =>
    eventually('they wait', async () => (await query(world, locks)).length === count);
  const hold = { name: 'test_hold', text: 'SELECT 1 FROM job WHERE id = $1 FOR UPDATE' };
  let tries = 0;
  const db: Db = { ...world.db, transaction: (work) => ((tries += 1), world.db.transaction(work)) };
  let family: Promise<unknown> = Promise.resolve();
  let cancelled: Promise<unknown> = Promise.resolve();
  await world.db.transaction(async (run) => {
    await run(hold, [first === 'waiter' ? waiterId : id]);
    family = attempts.finishWithChildren(begun, { jobId: id, attemptNo: 1, verdict: succeeded }, [childOf()]);
    await waiting(1);
    cancelled = cancelJob(db, acme(root));
    await waiting(2);
  });
  expect(await family).toMatchObject({ state: 'succeeded' });
  expect(await cancelled).toMatchObject({
    removed: [{ id: expect.any(String) }, { id: expect.any(String) }],
  });
  expect(tries).toBe(1); // no deadlock was undone
});

test('a child that gives birth while its family is cancelled has no child that lives on', async () => {
  const root = await addJob(world);
  await setJob(world, root, `state = 'succeeded', finished_at = now()`);
  const child = await addJob(world, { parentId: root, rootId: root });
  await setJob(world, child, `state = 'running', started_at = now()`);
  let cancelling: Promise<Cancelled> | undefined;
  const born = await world.db.transaction(async (run) => {
    const end = {
      name: 'test_end',
      text: `UPDATE job SET state = 'succeeded', finished_at = now() WHERE id = $1`,
    };
    await run(end, [child]);
    cancelling = cancelJob(world.db, acme(root));
    await eventually('the cancel waits for the child', async () => {
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await query(world, waiting)).length > 0;
    });
    const [row] = await run<{ id: string }>(birth, [child, newId()]);
    return row?.id;
  });
  expect(await cancelling).toMatchObject({ state: 'succeeded', removed: [{ id: born }] });
});
