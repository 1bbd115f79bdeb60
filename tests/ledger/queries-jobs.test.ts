import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { readJob } from '../../ledger/queries-jobs.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const nothing = { attempts: false, steps: false };
const run = (text: string, values: readonly unknown[]) => query(world, text, values);

test('a job is read by its tenant, or by nobody in particular, never by another tenant', async () => {
  const id = await addJob(world);
  expect(await readJob(world.db, { id, tenant: 'neighbour' }, nothing)).toBeUndefined();
  expect(await readJob(world.db, { id, tenant: undefined }, nothing)).toMatchObject({ id, tenant: 'acme' });
  const job = await readJob(world.db, { id, tenant: 'acme' }, nothing);
  expect(job).toMatchObject({ kind: 'generate-story', state: 'waiting', children: [], tree: { total: 0 } });
  expect(job).not.toHaveProperty('attempts');
});

test('the tree counts everything below the root, the children only what is next', async () => {
  const root = await addJob(world);
  const child = await addJob(world, { parentId: root, rootId: root });
  const grandchild = await addJob(world, { parentId: child, rootId: root });
  await setJob(world, grandchild, `state = 'dead', finished_at = now()`);
  for (const state of ['cancelled', 'expired', 'succeeded']) {
    const ended = await addJob(world, { parentId: child, rootId: root });
    await setJob(world, ended, `state = '${state}', finished_at = now()`);
  }
  const tree = { total: 5, open: 1, dead: 1, unsuccessful: 3 };
  const job = await readJob(world.db, { id: root, tenant: 'acme' }, nothing);
  expect(job).toMatchObject({ tree, children: [{ id: child, kind: 'generate-story', state: 'waiting' }] });
  expect(await readJob(world.db, { id: child, tenant: 'acme' }, nothing)).toMatchObject({
    tree,
    rootId: root,
  });
});

test('of many attempts the last 20 are told, newest last, and the running one is among them', async () => {
  const id = await addJob(world);
  await run(
    `INSERT INTO attempt (job_id, attempt_no, generation, outcome, code, started_at)
     SELECT $1, n, n, 'failed', 'timeout', now() FROM generate_series(1, 25) AS n`,
    [id],
  );
  await setJob(world, id, `state = 'running', attempt_no = 26, generation = 26, started_at = now()`);
  const job = await readJob(world.db, { id, tenant: 'acme' }, { attempts: true, steps: false });
  expect(job?.attempts).toHaveLength(20);
  expect(job?.attempts?.[0]).toMatchObject({ attempt: 7, outcome: 'failed', code: 'timeout' });
  expect(job?.attempts?.at(-1)).toMatchObject({ attempt: 26, outcome: 'running', endedAt: null });
});

test('a step shows the attempt that ran it and what it cost in all', async () => {
  const id = await addJob(world);
  await run(
    `INSERT INTO step (job_id, name, attempt_no, result, duration_ms) VALUES ($1, 'write', 2, '{}', 1500)`,
    [id],
  );
  for (const microUsd of [1_200, 34])
    await run(
      `INSERT INTO charge (id, job_id, step, tenant, kind, provider, model, usage, micro_usd)
       VALUES ($1, $2, 'write', 'acme', 'generate-story', 'gemini', 'm', '{}', $3)`,
      [newId(), id, microUsd],
    );
  const job = await readJob(world.db, { id, tenant: 'acme' }, { attempts: false, steps: true });
  expect(job?.steps).toEqual([{ name: 'write', attempt: 2, durationMs: 1_500, microUsd: 1_234 }]);
});
