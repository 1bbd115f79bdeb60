// Covers: workers/persist.ts, workers/stop.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rescue } from '../../ledger/rescue.ts';
import type { Call } from '../../shared/call.ts';
import { Failure } from '../../shared/errors.ts';
import type { Ending } from '../../engine/types.ts';
import type { Job, Services } from '../../workers/define.ts';
import { Stop } from '../../workers/stop.ts';
import { eventually } from '../support/house.ts';
import { gate, openStage, type Stage } from './stage.ts';

type Act = (job: Job) => Promise<unknown>;

const charge = { provider: 'smtp', model: 'any', usage: [{ unit: 'message', quantity: 1 }] } as const;
function pay(call: Call): Promise<string> {
  call.charge(charge);
  return Promise.resolve('x');
}

const acts = new Map<string, Act>();
let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ handler: async (job: Job) => acts.get(job.id)?.(job), leaseMs: 60_000 });
});
afterAll(() => stage.close());

async function play(act: Act): Promise<{ id: string; ending: Promise<Ending> }> {
  const id = await stage.add();
  acts.set(id, act);
  return { id, ending: stage.deliver(id) };
}

async function chargesOf(id: string): Promise<string[]> {
  return (await stage.db.prisma.charge.findMany({ where: { jobId: id } })).map((row) => row.step).toSorted();
}

test('a step that succeeded is not run again by a retry, and gives the same value', async () => {
  const calls: string[] = [];
  const values: unknown[] = [];
  const act: Act = async (job) => {
    values.push(
      await job.step('write', async (call) => {
        calls.push(call.step);
        call.charge(charge);
        return Promise.resolve({ at: new Date(0), bytes: new Uint8Array([1, 2]) });
      }),
    );
    if (job.attempt === 1) throw new Failure('unavailable', 'later');
    return {};
  };
  const { id, ending } = await play(act);
  await ending;
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  expect(calls).toEqual([`${id}:write`]);
  expect(values[1]).toEqual(values[0]);
  expect(await chargesOf(id)).toEqual(['write']);
  expect(stage.seen('step.ended').map((event) => event.result)).toEqual(['ran', 'remembered']);
});

test('a job can ask whether a step is remembered, and does not use the step up by asking', async () => {
  const answers: boolean[] = [];
  const { id, ending } = await play(async (job) => {
    answers.push(await job.remembers('write'));
    await job.step('write', () => Promise.resolve(1));
    if (job.attempt === 1) throw new Failure('unavailable', 'later');
  });
  await ending;
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  expect(answers).toEqual([false, true]);
});

test('a step that fails beside others does not cost the answers that they are waiting for', async () => {
  const answers = gate();
  const failed = gate();
  let calls = 0;
  const { id, ending } = await play(async (job) => {
    const slow = job.step('slow', async () => {
      calls += 1;
      await answers.passed;
      return 'paid';
    });
    const bad = job.step('bad', () =>
      job.attempt === 1 ? Promise.reject(new Failure('unavailable', 'no')) : Promise.resolve('yes'),
    );
    bad.catch(failed.open);
    return Promise.all([bad, slow]);
  });
  await failed.passed;
  // The handler has failed by now; its attempt has not ended, because a paid call is still under way.
  expect((await stage.row(id)).state).toBe('running');
  answers.open();
  expect(await ending).toMatchObject({ outcome: 'retrying' });
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  expect([calls, (await stage.row(id)).result]).toEqual([1, ['yes', 'paid']]);
});

test('what an accepted call cost is written when the call fails, its save fails or its attempt was taken over', async () => {
  const { id, ending } = await play(async (job) => {
    const failing = [
      job.step('refused', async (call) => {
        await pay(call);
        throw new Failure('bad_output', 'no story');
      }),
      job.step('unsaved', pay, { save: () => Promise.reject(new Error('the domain says no')) }),
    ];
    await Promise.allSettled(failing);
    await job.step('late', async (call) => {
      await stage.db.prisma.job.update({ where: { id: job.id }, data: { attemptNo: 9 } });
      return pay(call);
    });
  });
  expect(await ending).toEqual({ failed: false, outcome: 'refused' });
  expect(await chargesOf(id)).toEqual(['late', 'refused', 'unsaved']);
  expect(await stage.db.prisma.step.count({ where: { jobId: id } })).toBe(0);
});

test('one name for two steps is a bug, and an enqueue of a payload that does not fit is one too', async () => {
  const twice = await play(async (job) => {
    await job.step('page', () => Promise.resolve(1));
    return job.step('page', () => Promise.resolve(2));
  });
  await twice.ending;
  expect(await stage.row(twice.id)).toMatchObject({
    errorCode: 'bug',
    errorMessage: expect.stringContaining('page is used twice'),
  });
  const wrong = await play((job) => Promise.resolve(job.enqueue('nothing' as never, {} as never)));
  await wrong.ending;
  expect(await stage.row(wrong.id)).toMatchObject({
    errorCode: 'bug',
    errorMessage: expect.stringContaining('/kind'),
  });
});

test('no call is started by an attempt whose signal has aborted', async () => {
  let calls = 0;
  const { id, ending } = await play(async (job) => {
    stage.running.add({ begun: { jobId: job.id } as never, stop: new Stop() }); // a later attempt
    expect(job.signal.aborted).toBe(true);
    return job.step('paid', () => Promise.resolve((calls += 1)));
  });
  expect(await ending).toEqual({ failed: false, outcome: 'waiting' });
  expect([calls, await stage.outcomes(id)]).toEqual([0, ['interrupted']]);
});

test('an answer in our hands and the outcome after it are stored when the ledger is back', async () => {
  const asked = gate();
  const { id, ending } = await play(async (job) => {
    const value = await job.step('write', () => {
      stage.proxy.cut();
      asked.open();
      return Promise.resolve('paid');
    });
    return { value };
  });
  await asked.passed;
  await eventually('the ledger is missed', () =>
    stage.seen('notice').some(({ message }) => message.includes('leases')),
  );
  stage.proxy.restore();
  expect(await ending).toEqual({ failed: false, outcome: 'succeeded' });
  expect(await stage.row(id)).toMatchObject({ attemptNo: 1, result: { value: 'paid' } });
});

test('memories that cannot be read are asked for again, not given up on', async () => {
  const { id, ending } = await play(async (job) => {
    if (job.attempt === 1) {
      await job.step('write', () => Promise.resolve('first'));
      throw new Failure('unavailable', 'later');
    }
    stage.proxy.cut();
    setImmediate(() => void eventually('missed', () => true).then(stage.proxy.restore));
    return job.step('write', () => Promise.resolve('again'));
  });
  await ending;
  expect(await stage.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  expect((await stage.row(id)).result).toBe('first');
});

test('a ledger that is away when a handler reads from it costs no attempt', async () => {
  const own = await openStage({
    leaseMs: 60_000,
    async handler(job: Job, { db }: Services) {
      if (job.attempt > 1) return {};
      return job.step('draw', () => {
        own.proxy.cut();
        return db.prisma.story.count();
      });
    },
  });
  const id = await own.add();
  const ending = own.deliver(id);
  await eventually('the ledger is missed', () => own.seen('notice').length > 0);
  own.proxy.restore();
  expect(await ending).toEqual({ failed: false, outcome: 'snoozed' });
  expect(await own.row(id)).toMatchObject({ failures: 0, errorCode: 'unavailable' });
  expect((await own.row(id)).errorMessage).toMatch(/^the ledger did not answer: /);
  expect(await own.deliver(id)).toMatchObject({ outcome: 'succeeded' });
  await own.close();
});

test('an outcome whose answer was lost on the way is recorded once', async () => {
  const { id, ending } = await play((job) => {
    void stage.proxy.loseNextAnswer((request) => request.includes(job.id));
    return Promise.resolve({ fine: true });
  });
  await ending;
  expect(await stage.row(id)).toMatchObject({ state: 'succeeded', result: { fine: true } });
  expect(await stage.outcomes(id)).toEqual(['succeeded']);
});

test('a process that leaves while the ledger is away ends its delivery without calling it dead', async () => {
  const own = await openStage({ handler: () => Promise.resolve({}) });
  const id = await own.add();
  own.proxy.cut();
  const ending = own.deliver(id);
  own.leaving.abort();
  expect(await ending).toEqual({ failed: false, outcome: 'unrecorded' });
  expect(await own.row(id)).toMatchObject({ state: 'waiting', attemptNo: 0 });
  expect(await rescue(own.db, { kinds: [], attempts: [] }, 60_000)).toMatchObject({ rescued: [] });
  await own.close();
});

test('when the process is about to leave, the step under way is stored, no other begins, and the attempt is kept', async () => {
  const calls: string[] = [];
  const { id, ending } = await play(async (job) => {
    await job.step('under way', () => {
      stage.running.close('the process is stopping');
      return Promise.resolve(calls.push('under way'));
    });
    // It makes do without: that must not become its result.
    await job.step('next', () => Promise.resolve(calls.push('next'))).catch(() => undefined);
    return { degraded: true };
  });
  expect(await ending).toEqual({ failed: false, outcome: 'waiting' });
  expect([calls, await stage.outcomes(id)]).toEqual([['under way'], ['interrupted']]);
  expect(await stage.row(id)).toMatchObject({ failures: 0, result: null });
  expect(await stage.db.prisma.step.count({ where: { jobId: id } })).toBe(1);
});
