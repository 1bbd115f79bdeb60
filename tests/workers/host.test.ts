// Covers: workers/ending.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cancelJob } from '../../ledger/cancel.ts';
import type { Ending } from '../../engine/types.ts';
import type { Job } from '../../workers/define.ts';
import { Failure } from '../../shared/errors.ts';
import { eventually } from '../support/house.ts';
import { aborted, gate, openStage, type Stage } from './stage.ts';

type Act = (job: Job) => Promise<unknown>;

let stage: Stage;
let hung: { id: string; ending: Promise<Ending>; release: () => void };
const acts = new Map<string, Act>();

beforeAll(async () => {
  stage = await openStage({
    handler: async (job: Job) => acts.get(job.id)?.(job),
    queue: { timeoutMs: 400, retry: { attempts: 2, backoff: 'fixed', delayMs: 1 } },
  });
  // Takes the 5 s that a handler may ignore its abort for: begun first, looked at last.
  const { passed, open } = gate();
  const { id, ending } = await play(async () => passed);
  hung = { id, ending, release: open };
});
afterAll(() => stage.close());

async function play(act: Act): Promise<{ id: string; ending: Promise<Ending> }> {
  const id = await stage.add();
  acts.set(id, act);
  return { id, ending: stage.deliver(id) };
}

const circular: Record<string, unknown> = { name: 'ring' };
circular['self'] = circular;

test('whatever a handler throws becomes a failure with a text, and the job comes back', async () => {
  const strange: [unknown, RegExp][] = [
    [undefined, /undefined/],
    ['a text', /a text/],
    [Object.create(null), /without a text/],
    [new Error('with \u0000 and \ud800'), /^with \ufffd and \ufffd$/],
    [{ message: 12n }, /12/],
    [Object.assign(new Error('x'), { stack: 7, message: '' }), /^$/],
  ];
  for (const [thrown, text] of strange) {
    const { id, ending } = await play(() => Promise.reject(thrown));
    expect(await ending).toEqual({ failed: false, outcome: 'retrying' });
    const row = await stage.row(id);
    expect(row).toMatchObject({ state: 'retrying', errorCode: 'bug', failures: 1 });
    expect(row.errorMessage).toMatch(text);
  }
});

test('a result that JSON cannot say as it is, is stored as near as it can be', async () => {
  const { id, ending } = await play(() =>
    Promise.resolve({ ring: circular, big: 2n ** 70n, nul: 'a\u0000b', not: Number.NaN, at: new Date(0) }),
  );
  expect(await ending).toEqual({ failed: false, outcome: 'succeeded' });
  expect((await stage.row(id)).result).toEqual({
    ring: { name: 'ring', self: '[circular]' },
    big: '1180591620717411303424',
    nul: 'a\ufffdb',
    not: null,
    at: '1970-01-01T00:00:00.000Z',
  });
});

test('an outcome that the ledger would refuse each time ends as a failure instead of running for ever', async () => {
  const { id, ending } = await play((job) => {
    job.enqueue('play' as never, {} as never, { after: 'siblings' });
    job.enqueue('play' as never, {} as never, { after: 'siblings' });
    return Promise.resolve({});
  });
  expect(await ending).toEqual({ failed: false, outcome: 'retrying' });
  expect(await stage.row(id)).toMatchObject({ errorCode: 'bug', failures: 1 });
  acts.set(id, () => Promise.resolve('x'.repeat(70_000)));
  expect(await stage.deliver(id)).toMatchObject({
    failed: true,
    message: expect.stringContaining('over 64 kB'),
  });
});

test('a wait that is no time expires no job and refuses no neighbour', async () => {
  const { id, ending } = await play(() =>
    Promise.reject(new Failure('rate_limited', 'slow', { retryAfterMs: Number.POSITIVE_INFINITY })),
  );
  expect(await ending).toEqual({ failed: false, outcome: 'snoozed' });
  const second = await play(() =>
    Promise.reject(new Failure('rate_limited', 'slow', { retryAfterMs: Number.NaN })),
  );
  expect(await second.ending).toEqual({ failed: false, outcome: 'snoozed' });
  expect(await stage.outcomes(id)).toEqual(['snoozed']);
});

test('a job that an outage leaves without an answer uses no attempt up, ten times', async () => {
  const away = { provider: 'gemini', breakerOpen: true, retryAfterMs: 1 } as const;
  const { id, ending } = await play(() => Promise.reject(new Failure('unknown_outcome', 'no answer', away)));
  await ending;
  for (let again = 0; again < 9; again += 1) await stage.deliver(id);
  expect(await stage.row(id)).toMatchObject({ state: 'snoozed', failures: 0 });
  await stage.deliver(id);
  expect(await stage.row(id)).toMatchObject({ state: 'retrying', failures: 1 });
  expect(await stage.deliver(id)).toMatchObject({ failed: true });
  expect(await stage.outcomes(id)).toEqual([
    ...Array.from({ length: 10 }, () => 'snoozed'),
    'failed',
    'failed',
  ]);
});

test('an attempt over its time is aborted, counts as a failure and is tried again', async () => {
  const { id, ending } = await play(async ({ signal }) => {
    throw await aborted(signal);
  });
  expect(await ending).toEqual({ failed: false, outcome: 'retrying' });
  expect(await stage.row(id)).toMatchObject({ errorCode: 'timeout', failures: 1 });
  acts.set(id, () => Promise.resolve({}));
  expect(await stage.deliver(id)).toEqual({ failed: false, outcome: 'succeeded' });
});

test('a job that is cancelled while it runs is told, and keeps that outcome though it succeeds', async () => {
  const begun = gate();
  const { id, ending } = await play(async ({ signal }) => {
    begun.open();
    await aborted(signal);
    return { done: true };
  });
  await begun.passed;
  expect(await cancelJob(stage.db, { id, tenant: undefined })).toMatchObject({ state: 'running' });
  expect(await ending).toEqual({ failed: false, outcome: 'cancelled' });
  expect(await stage.outcomes(id)).toEqual(['cancelled']);
  expect((await stage.row(id)).result).toBeNull();
});

test('a delivery that comes twice, late or from somebody else runs nothing', async () => {
  let runs = 0;
  const { id, ending } = await play(() => Promise.resolve((runs += 1)));
  const twice = await Promise.all([ending, stage.deliver(id), stage.deliver(id)]);
  expect(
    twice.map((one) => ('outcome' in one ? one.outcome : 'dead')).toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(['gone', 'gone', 'succeeded']);
  expect(await stage.deliver(id)).toEqual({ failed: false, outcome: 'gone' });
  expect(runs).toBe(1);
});

test('an entry of somebody else in the engine is passed over and refuses no neighbour its begin', async () => {
  const good = await play(() => Promise.resolve({}));
  const foreign = await Promise.all(
    [undefined, 'no id', 7].map((jobId) => stage.deliverRaw({ jobId, generation: 1 })),
  );
  expect(foreign).toEqual(foreign.map(() => ({ failed: false, outcome: 'gone' })));
  expect(await good.ending).toMatchObject({ outcome: 'succeeded' });
});

test('one wide event tells of each attempt, with its error and without a payload', async () => {
  const { id, ending } = await play(() => Promise.reject(new Failure('bad_input', 'no such page')));
  expect(await ending).toEqual({ failed: true, message: 'bad_input: no such page' });
  expect(stage.seen('attempt.ended').filter((event) => event.jobId === id)).toMatchObject([
    {
      outcome: 'failed',
      state: 'dead',
      code: 'bad_input',
      message: 'no such page',
      attempt: 1,
      requestId: 'req-1',
      recorded: true,
    },
  ]);
  expect(stage.seen('job.finished').filter((event) => event.jobId === id)).toMatchObject([{ state: 'dead' }]);
});

test('progress is stored for the operator, at most once a second, and a number that is none does no harm', async () => {
  const { id, ending } = await play(async (job) => {
    job.progress(Number.NaN);
    job.progress(41.7, 'nearly\u0000');
    await eventually('it is stored', async () => (await stage.row(job.id)).progress === 42);
    return {};
  });
  await expect(ending).resolves.toBeDefined();
  expect(await stage.row(id)).toMatchObject({ progressMessage: 'nearly\ufffd' });
});

test('a handler that ignores its abort loses its slot, and its late end changes nothing', async () => {
  expect(await hung.ending).toEqual({ failed: false, outcome: 'retrying' });
  expect(await stage.row(hung.id)).toMatchObject({ errorCode: 'timeout', failures: 1, attemptNo: 1 });
  hung.release();
  acts.set(hung.id, () => Promise.resolve({}));
  expect(await stage.deliver(hung.id)).toMatchObject({ outcome: 'succeeded' });
  expect(await stage.outcomes(hung.id)).toEqual(['failed', 'succeeded']);
});

test('an attempt that PostgreSQL forgot in a crash pays nothing, and the next one pays once', async () => {
  let [forgets, paid] = [true, 0];
  const { id, ending } = await play(async (job) => {
    // Its begin was not on disk yet (docs/decisions/0006).
    if (forgets) {
      forgets = false;
      const data = {
        state: 'waiting',
        attemptNo: 0,
        workerId: null,
        leaseUntil: null,
        startedAt: null,
      } as const;
      await stage.db.prisma.job.update({ where: { id: job.id }, data });
    }
    return job.step('one', () => Promise.resolve((paid += 1)));
  });
  expect(await ending).toEqual({ failed: false, outcome: 'refused' });
  expect([paid, (await stage.row(id)).state]).toEqual([0, 'waiting']);
  expect(await stage.deliver(id)).toEqual({ failed: false, outcome: 'succeeded' });
  expect([paid, await stage.outcomes(id)]).toEqual([1, ['succeeded']]);
});
