import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cancelJob } from '../../ledger/cancel.ts';
import { newId } from '../../shared/ids.ts';
import { addJob, openLedger, setJob, stateOf, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const acme = (id: string) => ({ id, tenant: 'acme' });

test.each(['waiting', 'scheduled', 'retrying', 'snoozed', 'parked', 'blocked'])(
  'a job that is %s is cancelled at once, and the engine is told which delivery to forget',
  async (state) => {
    const id = await addJob(world);
    await setJob(world, id, `state = '${state}', generation = 3`);
    const removed = [{ id, generation: 3, queue: 'story-generation', kind: 'generate-story' }];
    expect(await cancelJob(world.db, acme(id))).toEqual({ state: 'cancelled', removed });
    expect(await stateOf(world, id)).toBe('cancelled');
  },
);

test('a running job is asked to stop, and asking twice changes nothing', async () => {
  const id = await addJob(world);
  await setJob(world, id, `state = 'running', started_at = now()`);
  expect(await cancelJob(world.db, acme(id))).toEqual({ state: 'running', removed: [] });
  expect(await cancelJob(world.db, acme(id))).toEqual({ state: 'running', removed: [] });
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

test('a whole family is cancelled with its head: children, their waiter, and running ones are asked', async () => {
  const outer = await addJob(world, { blocked: true, openChildren: 2 });
  const root = await addJob(world, { waiterId: outer });
  const waiter = await addJob(world, {
    parentId: root,
    rootId: root,
    blocked: true,
    openChildren: 2,
    waiterId: outer,
  });
  const family = { parentId: root, rootId: root, waiterId: waiter };
  const resting = await addJob(world, family);
  const running = await addJob(world, family);
  await setJob(world, running, `state = 'running', started_at = now()`);
  const { removed } = await cancelJob(world.db, acme(root));
  expect(removed.map((row) => row.id).sort()).toEqual([root, waiter, resting].sort());
  expect(await stateOf(world, running)).toBe('running');
  expect(await stateOf(world, waiter)).toBe('cancelled');
  expect(await stateOf(world, outer)).toBe('waiting');
});
