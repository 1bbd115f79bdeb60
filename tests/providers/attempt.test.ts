// One attempt against a real HTTP server: deadline, stop, unknown outcomes, and a paid answer that is never lost.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { ask, failure, setUp, translate, vendor } from './vendor.ts';

test('a job that is already stopped makes no request', async () => {
  const { guard, outcomes } = setUp();
  const failed = await failure(ask(guard, { signal: AbortSignal.abort() }));
  expect(failed.code).toBe('cancelled');
  expect([vendor.requests, outcomes]).toEqual([0, []]);
});

test('a paid answer that arrives while the job is being stopped is kept', async () => {
  const { guard } = setUp();
  const stop = new AbortController();
  const options = { call: { signal: stop.signal }, deadlineMs: 5_000, paid: true, translate };
  const answerOfLate = guard.run('late', options, async () => {
    stop.abort();
    await new Promise((resolve) => setImmediate(resolve));
    return 'paid for';
  });
  await expect(answerOfLate).resolves.toBe('paid for');
});

test('a paid call with an unknown outcome is not repeated; an unpaid one is', async () => {
  const { guard } = setUp();
  for (const step of ['reset', 'cut', 'hang'] as const) {
    vendor.script.push(step);
    expect(await failure(ask(guard, { deadlineMs: 200 }))).toMatchObject({ code: 'unknown_outcome' });
  }
  expect(vendor.requests).toBe(3);
  vendor.script.push('reset', 'hang', 200);
  await expect(ask(guard, { paid: false, deadlineMs: 500 })).resolves.toEqual({ ok: true });
  expect(vendor.requests).toBe(6);
});

test('a connection that was refused is safe to repeat, paid or not', async () => {
  const { guard, outcomes } = setUp();
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const failed = await failure(ask(guard, { target: `http://127.0.0.1:${port}` }));
  expect(failed).toMatchObject({ code: 'unavailable' });
  expect(outcomes).toEqual(['unavailable', 'unavailable', 'unavailable']);
});

test('a call that ignores its stop is left behind, so nothing hangs for ever', async () => {
  const { guard } = setUp();
  const options = { call: { signal: new AbortController().signal }, deadlineMs: 20, paid: true, translate };
  const failed = await failure(guard.run('deaf', options, () => new Promise(() => undefined)));
  expect(failed.code).toBe('unknown_outcome');
});

test('an error nobody knows is a bug with its cause; a vendor error keeps none', async () => {
  const { guard } = setUp();
  const options = {
    call: { signal: new AbortController().signal },
    deadlineMs: 1_000,
    paid: true,
    translate,
  };
  const boom = new RangeError('boom');
  expect(await failure(guard.run('x', options, () => Promise.reject(boom)))).toMatchObject({
    code: 'bug',
    cause: boom,
  });
  vendor.script.push(400);
  expect((await failure(ask(guard))).cause).toBeUndefined();
});
