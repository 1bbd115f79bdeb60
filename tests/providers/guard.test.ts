// The guard against a real HTTP server: how often it tries, what opens the breaker, what is handed to the job.
import { expect, test } from '@jest/globals';
import type { Guard } from '../../providers/guard.ts';
import type { Failure } from '../../shared/errors.ts';
import { ask, failure, fast, setUp, until, vendor } from './vendor.ts';

/** Two calls that failed in all their tries: what it takes to open the breaker. */
async function breakIt(guard: Guard): Promise<Failure> {
  let last: Failure | undefined;
  for (let call = 0; call < 2; call += 1) {
    vendor.script.push(503, 503, 503);
    last = await failure(ask(guard));
  }
  if (last === undefined) throw new Error('no call was made');
  return last;
}

test('a transient failure is tried three times, and the breaker hears of it once', async () => {
  const { guard, outcomes, states } = setUp();
  vendor.script.push(503, 500, 200);
  await expect(ask(guard)).resolves.toEqual({ ok: true });
  expect(outcomes).toEqual(['unavailable', 'unavailable', 'ok']);
  vendor.script.push(503, 503, 503);
  const failed = await failure(ask(guard));
  expect(failed).toMatchObject({ code: 'unavailable', status: 503, provider: 'test', breakerOpen: false });
  expect(failed.message).toBe('test ask failed: 503 test; it is tried again later');
  expect(vendor.requests).toBe(6);
  expect(states).toEqual([]);
});

test('two calls that fail in all their tries open the breaker; the second and those after it are marked and cost no request', async () => {
  const { guard, states } = setUp();
  const opening = await breakIt(guard);
  expect(vendor.requests).toBe(6);
  expect(opening).toMatchObject({ code: 'unavailable', breakerOpen: true });
  const refused = await failure(ask(guard));
  expect(refused).toMatchObject({ code: 'unavailable', breakerOpen: true });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  expect(vendor.requests).toBe(6);
  expect(states).toEqual(['open']);
  guard.close();
});

test('outages in a row open the breaker however many calls went well before', async () => {
  const { guard, states } = setUp();
  for (let call = 0; call < 40; call += 1) await ask(guard);
  await breakIt(guard);
  expect(states).toEqual(['open']);
  guard.close();
});

test('refusals, rate limits and stops never open the breaker', async () => {
  const { guard, states } = setUp();
  vendor.retryAfter = '60';
  for (const status of [400, 401, 402, 429, 404, 429, 403, 400]) {
    vendor.script.push(status);
    await failure(ask(guard));
  }
  const stop = AbortSignal.abort();
  for (let call = 0; call < 8; call += 1) await failure(ask(guard, { signal: stop }));
  expect(states).toEqual([]);
  expect(vendor.requests).toBe(8);
});

test('a half-open breaker is closed by an answer, even a refusal, and kept open by a rate limit', async () => {
  const { guard, states } = setUp();
  await breakIt(guard);
  await until(() => states.at(-1) === 'half_open');
  vendor.retryAfter = '60';
  vendor.script.push(429);
  expect(await failure(ask(guard))).toMatchObject({ code: 'rate_limited' });
  expect(states).toEqual(['open', 'half_open', 'open']);
  await until(() => states.at(-1) === 'half_open');
  vendor.script.push(400);
  expect(await failure(ask(guard))).toMatchObject({ code: 'bad_input' });
  expect(states.slice(3)).toEqual(['half_open', 'closed']);
  await expect(ask(guard)).resolves.toEqual({ ok: true });
  guard.close();
});

test('a half-open breaker lets exactly one call through, and a hanging one is bounded', async () => {
  const { guard, states } = setUp();
  await breakIt(guard);
  await until(() => states.at(-1) === 'half_open');
  vendor.script.push('hang');
  const before = vendor.requests;
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => failure(ask(guard, { deadlineMs: 30 }))));
  expect(vendor.requests - before).toBe(1);
  expect(all.map((failed) => failed.code).sort()).toEqual([
    'unavailable',
    'unavailable',
    'unavailable',
    'unavailable',
    'unknown_outcome',
  ]);
  expect(states.at(-1)).toBe('open');
  guard.close();
});

test('a Retry-After within the budget is waited for; a longer one is handed to the job at once', async () => {
  const { guard, outcomes } = setUp();
  vendor.retryAfter = '0.1';
  vendor.script.push(429);
  const startedAt = performance.now();
  await expect(ask(guard)).resolves.toEqual({ ok: true });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
  expect(outcomes).toEqual(['rate_limited', 'ok']);
  vendor.retryAfter = '17';
  vendor.script.push(429);
  expect(await failure(ask(guard))).toMatchObject({ code: 'rate_limited', retryAfterMs: 17_000 });
  expect(vendor.requests).toBe(3);
});

test('the budget for Retry-After holds for all tries together', async () => {
  const { guard } = setUp();
  vendor.retryAfter = '0.15';
  vendor.script.push(429, 429);
  expect(await failure(ask(guard))).toMatchObject({ code: 'rate_limited', retryAfterMs: 150 });
  expect(vendor.requests).toBe(2);
});

test('a stop ends a call under way and a back-off at once', async () => {
  const { guard, outcomes } = setUp({ timings: { ...fast, retryBaseMs: 60_000, retryCapMs: 60_000 } });
  const first = new AbortController();
  vendor.script.push('hang');
  const hanging = failure(ask(guard, { signal: first.signal }));
  await until(() => vendor.requests === 1);
  first.abort();
  expect((await hanging).code).toBe('cancelled');
  const second = new AbortController();
  vendor.script.push(503);
  const waiting = failure(ask(guard, { signal: second.signal }));
  await until(() => outcomes.length === 2);
  second.abort();
  expect((await waiting).code).toBe('cancelled');
  expect(vendor.requests).toBe(2);
});

test('lost calls are counted for less: the fourth in a row opens the breaker, and is an outage from there on', async () => {
  const { guard, states } = setUp();
  for (let call = 1; call <= 4; call += 1) {
    expect(states).toEqual([]);
    vendor.script.push('reset');
    expect(await failure(ask(guard))).toMatchObject({ code: 'unknown_outcome', breakerOpen: call === 4 });
  }
  expect(states).toEqual(['open']);
  guard.close();
});

test('without the breaker no number of outages refuses a call', async () => {
  const { guard, states } = setUp({ breaker: false });
  await breakIt(guard);
  await expect(ask(guard)).resolves.toEqual({ ok: true });
  expect(states).toEqual([]);
});
