import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Removed } from '../../../ledger/cancel.ts';
import { expire } from '../../../ledger/retention.ts';
import { newId } from '../../../shared/ids.ts';
import { addJob, query, setJob } from '../../ledger/world.ts';
import { ask, openApi, post, problemOf, type ApiWorld } from '../world.ts';

let world: ApiWorld;
const cancelled: Removed[] = [];
beforeAll(async () => {
  world = await openApi({ onCancelled: (rows) => void cancelled.push(...rows) });
});
afterAll(() => world.close());

const read = async (id: string, rest = '') =>
  (await (await ask(world, `/v1/jobs/${id}${rest}`)).json()) as Record<string, unknown>;

test('a job shows its state, family, attempts and steps, and nothing of its payload', async () => {
  const id = await post(world);
  await query(
    world,
    `INSERT INTO attempt (job_id, attempt_no, generation, outcome, code, message, started_at) VALUES ($1, 1, 1, 'failed', 'timeout', 'late', now())`,
    [id],
  );
  await query(world, `INSERT INTO step (job_id, name, attempt_no, duration_ms) VALUES ($1, 'write', 1, 10)`, [
    id,
  ]);
  await setJob(
    world,
    id,
    `state = 'retrying', attempt_no = 1, failures = 1, progress = 40, progress_message = 'half', error_code = 'timeout', error_message = 'late'`,
  );
  const job = await read(id, '?include=attempts,steps,children');
  expect(job).toMatchObject({
    state: 'retrying',
    final: false,
    progress: { percent: 40, message: 'half' },
    result: null,
    error: { code: 'timeout', message: 'late' },
    attempt: { number: 1, failures: 1, of: 3 },
    children: [],
    tree: { total: 0, open: 0, dead: 0, unsuccessful: 0 },
    parentId: null,
    attempts: [{ attempt: 1, outcome: 'failed', code: 'timeout' }],
    steps: [{ name: 'write', attempt: 1, durationMs: 10, microUsd: 0 }],
  });
  expect(JSON.stringify(job)).not.toContain('Ada');
  await setJob(world, id, `state = 'parked', error_code = NULL, error_message = 'parked: too new'`);
  expect(await read(id)).toMatchObject({ state: 'parked', error: null, parkedReason: 'parked: too new' });
  await setJob(
    world,
    id,
    `error_message = NULL, run_at = now() - interval '1 d', give_up_at = now() - interval '1 s'`,
  );
  expect((await expire(world.db)).expired).toMatchObject([{ queue: 'story-generation' }]);
  const error = { code: 'expired', message: 'nobody could run it in time' };
  expect(await read(id)).toMatchObject({ state: 'expired', error });
  expect(await read(id)).not.toHaveProperty('steps');
});

test('an unchanged job is a 304, a changed one is not, and a final one is not looked at again', async () => {
  const id = await post(world);
  const first = await ask(world, `/v1/jobs/${id}`);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^W\/"/);
  expect(first.headers.get('retry-after')).toBe('1');
  const again = await ask(world, `/v1/jobs/${id}`, { headers: { 'if-none-match': `"x", ${etag}` } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  await setJob(world, id, `state = 'succeeded', finished_at = now(), result = '{"pages":3}'`);
  const last = await ask(world, `/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
  expect(last.status).toBe(200);
  expect(last.headers.get('retry-after')).toBeNull();
  expect(await last.json()).toMatchObject({ final: true, result: { pages: 3 } });
});

test.each([
  ['nonsense', 400, 'invalid_id'],
  ['0199f3a0-0000-7000-8000-00000000000g', 400, 'invalid_id'],
  [`%27;%20drop%20table%20job;--`, 400, 'invalid_id'],
  [newId(), 404, 'job_not_found'],
])('the id %s is a %d %s, to read and to cancel', async (id, status, code) => {
  const seen = await ask(world, `/v1/jobs/${id}`);
  const stopped = await ask(world, `/v1/jobs/${id}/cancel`, { method: 'POST' });
  expect([seen.status, (await problemOf(seen)).code]).toEqual([status, code]);
  expect([stopped.status, (await problemOf(stopped)).code]).toEqual([status, code]);
});

const cancel = (id: string, body?: unknown) =>
  ask(world, `/v1/jobs/${id}/cancel`, { key: 'operator', method: 'POST', body });

test('a waiting job is cancelled at once, twice in parallel with one answer, and leaves the engine', async () => {
  const id = await post(world);
  const answers = await Promise.all([cancel(id), cancel(id, {})]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  const [first, second] = await Promise.all(answers.map((answer) => answer.json()));
  expect(first).toEqual({ id, state: 'cancelled', cancelRequested: true });
  expect(second).toEqual(first);
  expect(cancelled.filter((row) => row.id === id)).toHaveLength(1);
  expect(await read(id)).toMatchObject({ state: 'cancelled', final: true });
});

test('a job cancelled in the quarantine lane leaves the queue of the lane and counts for the queue of its kind', async () => {
  const id = await post(world);
  await setJob(world, id, 'crashes = 2');
  const finished: object[] = [];
  world.events.on('job.finished', (event) => finished.push(event));
  await cancel(id);
  expect(cancelled.filter((row) => row.id === id)).toMatchObject([{ queue: 'quarantine' }]);
  expect(finished).toMatchObject([{ jobId: id, queue: 'story-generation', state: 'cancelled' }]);
});

test('a running job is asked to stop with a 202, a finished one is a 409', async () => {
  const id = await post(world);
  await setJob(world, id, `state = 'running', started_at = now()`);
  const asked = await cancel(id);
  expect([asked.status, await asked.json()]).toEqual([202, { id, state: 'running', cancelRequested: true }]);
  await setJob(world, id, `state = 'succeeded', finished_at = now()`);
  const late = await cancel(id);
  expect(await problemOf(late)).toMatchObject({
    status: 409,
    code: 'invalid_state',
    details: { state: 'succeeded' },
  });
});

test('the id of a job that has succeeded stops its children', async () => {
  const id = await post(world);
  await setJob(world, id, `state = 'succeeded', finished_at = now()`);
  const child = await addJob(world, { parentId: id, rootId: id });
  const stopped = await cancel(id);
  const body = { id, state: 'succeeded', cancelRequested: true };
  expect([stopped.status, await stopped.json()]).toEqual([200, body]);
  expect(await read(child)).toMatchObject({ state: 'cancelled' });
  expect(cancelled.map((row) => row.id)).toContain(child);
});

test('a cancel takes no fields', async () => {
  const id = await post(world);
  const response = await cancel(id, { force: true });
  expect(await problemOf(response)).toMatchObject({ code: 'unknown_field', errors: [{ pointer: '/force' }] });
  expect(await read(id)).toMatchObject({ state: 'waiting' });
});
