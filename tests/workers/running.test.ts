import { afterEach, expect, test } from '@jest/globals';
import { rescue } from '../../ledger/rescue.ts';
import type { Job } from '../../workers/define.ts';
import { Interrupted, LeaseLost, Running, type RunningOptions } from '../../workers/running.ts';
import { Stop } from '../../workers/stop.ts';
import { eventually } from '../support/house.ts';
import { aborted, gate, openStage, type Stage } from './stage.ts';

type Act = (job: Job) => Promise<unknown>;

const noLimits = { kinds: [], attempts: [] };
let stage: Stage;
afterEach(() => stage.close());

async function open(act: Act, leaseMs: number, renewMs = 50): Promise<void> {
  stage = await openStage({ handler: act, leaseMs, renewMs });
}

test('a lease is renewed for as long as its attempt runs', async () => {
  const held = gate();
  await open(async () => held.passed, 500);
  const id = await stage.add();
  const ending = stage.deliver(id);
  await eventually('it runs', async () => (await stage.row(id)).state === 'running');
  const begun = await stage.row(id);
  await eventually('the first lease has passed', () => Date.now() > (begun.leaseUntil?.getTime() ?? 0) + 200);
  expect(await rescue(stage.db, noLimits, 60_000)).toMatchObject({ rescued: [] });
  held.open();
  expect(await ending).toMatchObject({ outcome: 'succeeded' });
});

test('an attempt whose job was given to somebody else is aborted at the next renewal and records nothing', async () => {
  const reasons: unknown[] = [];
  await open(async ({ signal }) => reasons.push(await aborted(signal)), 60_000);
  const id = await stage.add();
  const ending = stage.deliver(id);
  await eventually('it runs', async () => (await stage.row(id)).state === 'running');
  await stage.db.prisma.job.update({ where: { id }, data: { attemptNo: 2 } });
  expect(await ending).toEqual({ failed: false, outcome: 'refused' });
  expect(reasons).toEqual([expect.any(LeaseLost)]);
  expect(await stage.outcomes(id)).toEqual([]);
});

for (const fault of ['cut', 'freeze'] as const) {
  test(`when the ledger is silent (${fault}) attempts are aborted before their lease has passed`, async () => {
    const reasons: { reason: unknown; at: number }[] = [];
    await open(
      async ({ signal }) => reasons.push({ reason: await aborted(signal), at: Date.now() }),
      3_000,
      300,
    );
    const id = await stage.add();
    const ending = stage.deliver(id);
    await eventually('it runs', async () => (await stage.row(id)).state === 'running');
    stage.proxy[fault]();
    const lease = (await stage.row(id)).leaseUntil?.getTime() ?? 0;
    await eventually('it is aborted', () => reasons.length === 1);
    expect(reasons[0]?.reason).toBeInstanceOf(LeaseLost);
    expect(reasons[0]?.at).toBeLessThan(lease);
    stage.proxy.restore();
    // A success that was in hand when the ledger came back in time is a success.
    expect(await ending).toMatchObject({ outcome: 'succeeded' });
  });
}

test('an attempt that a later one has replaced in this process is aborted at once', async () => {
  const attempts: Job[] = [];
  await open(
    async (job) => {
      attempts.push(job);
      await aborted(job.signal);
    },
    60_000,
    30_000,
  );
  const id = await stage.add();
  const first = stage.deliver(id);
  await eventually('it runs', () => attempts.length === 1);
  await stage.db.prisma.job.update({ where: { id }, data: { leaseUntil: new Date(0) } });
  await rescue(stage.db, noLimits, 60_000);
  const second = stage.deliver(id);
  expect(await first).toMatchObject({ outcome: 'refused' });
  expect(attempts.map((job) => job.signal.aborted)).toEqual([true, false]);
  stage.running.interrupt('the test is over');
  expect(await second).toMatchObject({ outcome: 'succeeded' });
});

test('a stop hands attempts back without using one up, also those that begin after it', async () => {
  const reasons: unknown[] = [];
  await open(async ({ signal }) => {
    reasons.push(await aborted(signal));
    throw signal.reason;
  }, 60_000);
  const ids = [await stage.add(), await stage.add()];
  const first = stage.deliver(ids[0] ?? '');
  await eventually('it runs', () => stage.running.size === 1);
  stage.running.interrupt('the process is stopping');
  const endings = [await first, await stage.deliver(ids[1] ?? '')];
  await stage.running.empty();
  expect(endings).toEqual(endings.map(() => ({ failed: false, outcome: 'waiting' })));
  expect(reasons).toEqual([expect.any(Interrupted), expect.any(Interrupted)]);
  for (const id of ids)
    expect(await stage.row(id)).toMatchObject({
      state: 'waiting',
      failures: 0,
      generation: 2,
      dispatchedAt: null,
    });
});

test('an attempt that ended while its renewal was under way is not told that it was lost', async () => {
  await open(async () => Promise.resolve({}), 60_000);
  const attempt = { begun: { jobId: 'a', attemptNo: 1 } as never, stop: new Stop() };
  const asked = gate();
  const attempts = {
    renew() {
      running.remove(attempt);
      asked.open();
      return Promise.resolve({ lost: ['a'], cancelled: ['a'] });
    },
  } as unknown as RunningOptions['attempts'];
  const running = new Running({ attempts, leaseMs: 60_000, renewMs: 10, emit: () => undefined });
  running.add(attempt);
  running.start();
  await asked.passed;
  running.stop();
  expect(attempt.stop.reason).toBeUndefined();
});

test.each([
  ['its row was locked', () => Promise.resolve({ lost: [], cancelled: [], locked: 1 })],
  ['nobody answered', () => Promise.reject(new Error('Query read timeout'))],
])('a lease is asked for again long before the next renewal is due when %s', async (_name, first) => {
  await open(() => Promise.resolve({}), 60_000);
  const askedAt: number[] = [];
  const fine = { lost: [], cancelled: [], locked: 0 };
  const attempts = {
    renew: () => (askedAt.push(performance.now()) === 1 ? first() : Promise.resolve(fine)),
  } as unknown as RunningOptions['attempts'];
  const renewMs = 1_000;
  const running = new Running({ attempts, leaseMs: 60_000, renewMs, emit: () => undefined });
  running.start();
  await eventually('it was asked for again', () => askedAt.length === 2);
  running.stop();
  const [before = 0, after = 0] = askedAt;
  expect(after - before).toBeLessThan(renewMs);
});

test('an attempt that begins while no renewal comes back has the time of its own lease', async () => {
  await open(async () => Promise.resolve({}), 60_000);
  const attempts = { renew: () => new Promise(() => undefined) } as unknown as RunningOptions['attempts'];
  const leaseMs = 600;
  const told: unknown[] = [];
  const running = new Running({
    attempts,
    leaseMs,
    renewMs: 20,
    emit: (name, event) => told.push([name, event]),
  });
  const add = (jobId: string): Stop => {
    const stop = new Stop();
    running.add({ begun: { jobId, attemptNo: 1 } as never, stop });
    return stop;
  };
  running.start();
  const old = add('old');
  await eventually('the old one is aborted', () => old.reason !== undefined);
  const begunAt = performance.now();
  const young = add('young');
  await eventually('the young one is aborted', () => young.reason !== undefined);
  running.stop();
  expect(young.reason).toBeInstanceOf(LeaseLost);
  const message = 'attempts given up, their leases could not be renewed in time: 1';
  expect(told).toEqual([0, 1].map(() => ['notice', { level: 'warn', message }]));
  expect(performance.now() - begunAt).toBeGreaterThan((leaseMs * 2) / 3);
});
