import { expect, test } from '@jest/globals';
import { Failure, type FailureCode, type FailureOptions } from '../../shared/errors.ts';
import type { Verdict } from '../../ledger/finish.ts';
import { toFailure, verdictOf } from '../../workers/outcome.ts';

const retry = { attempts: 3, backoff: 'fixed', delayMs: 100 } as const;

function judge(
  code: FailureCode,
  options: FailureOptions = {},
  context: { failures?: number; givenBack?: number; gateMs?: number; unanswered?: number } = {},
): Verdict {
  return verdictOf(new Failure(code, 'why', options), {
    retry,
    failures: 0,
    givenBack: 0,
    random: 0,
    ...context,
  });
}

const fates: Record<FailureCode, string> = {
  unavailable: 'failed 100',
  timeout: 'failed 100',
  rate_limited: 'snoozed 30000',
  quota_exhausted: 'snoozed 900000',
  auth: 'snoozed 300000',
  bad_input: 'failed null',
  content_blocked: 'failed null',
  bad_output: 'failed 100',
  unknown_outcome: 'failed 100',
  cancelled: 'failed null',
  bug: 'failed 100',
};

for (const code of Object.keys(fates) as FailureCode[]) {
  test(`${code} on the first attempt: ${fates[code]}`, () => {
    const verdict = judge(code);
    expect(`${verdict.outcome} ${'retryInMs' in verdict ? verdict.retryInMs : ''}`).toBe(fates[code]);
  });
}

test('the last attempt that fails is the end, and a snooze has no last one', () => {
  expect(judge('timeout', {}, { failures: 2 })).toMatchObject({ outcome: 'failed', retryInMs: null });
  expect(judge('rate_limited', {}, { failures: 99 })).toMatchObject({ outcome: 'snoozed' });
});

test('an outage behind an open breaker or gate is not now, for as long as that says', () => {
  expect(judge('unavailable', { breakerOpen: true, retryAfterMs: 4_000 })).toMatchObject({
    outcome: 'snoozed',
    retryInMs: 4_000,
  });
  expect(judge('unavailable', {}, { gateMs: 7_000 })).toMatchObject({ outcome: 'snoozed', retryInMs: 7_000 });
  expect(judge('timeout', {}, { gateMs: 7_000 })).toMatchObject({ outcome: 'snoozed', retryInMs: 7_000 });
  expect(judge('bad_output', {}, { gateMs: 7_000 })).toMatchObject({ outcome: 'failed' });
});

test('a call left without an answer in an outage is not now either, but not for ever', () => {
  const away = { breakerOpen: true, retryAfterMs: 4_000 } as const;
  const snoozed = { outcome: 'snoozed', code: 'unknown_outcome', retryInMs: 4_000 };
  expect(judge('unknown_outcome', away, { failures: 2, unanswered: 9 })).toMatchObject(snoozed);
  const closed = { gateMs: 4_000, unanswered: 9 };
  expect(judge('unknown_outcome', {}, closed)).toMatchObject(snoozed);
  const counted = { outcome: 'failed', retryInMs: 4_000 };
  expect(judge('unknown_outcome', away, { unanswered: 10 })).toMatchObject(counted);
  expect(judge('unknown_outcome', away)).toMatchObject(counted); // how many is not known
  expect(judge('unknown_outcome', {}, { ...closed, unanswered: 10 })).toMatchObject({ outcome: 'failed' });
  expect(judge('unknown_outcome', {}, { unanswered: 0 })).toMatchObject({ outcome: 'failed' }); // no outage
});

test('what the other side asked for is waited out, but never less than the back-off and never for ever', () => {
  expect(judge('unavailable', { retryAfterMs: 5_000 })).toMatchObject({ retryInMs: 5_000 });
  expect(judge('unavailable', { retryAfterMs: 1 })).toMatchObject({ retryInMs: 100 });
  expect(judge('rate_limited', { retryAfterMs: -5 })).toMatchObject({ retryInMs: 250 });
  expect(judge('timeout', { retryAfterMs: Number.NaN })).toMatchObject({ retryInMs: 100 });
});

test('a mail that is put off again and again waits twice as long each time, up to a quarter of an hour', () => {
  const waits = [0, 1, 4, 5, 99].map((givenBack) => {
    const verdict = judge('rate_limited', { provider: 'smtp' }, { givenBack });
    return 'retryInMs' in verdict ? verdict.retryInMs : undefined;
  });
  expect(waits).toEqual([30_000, 60_000, 480_000, 960_000, 960_000]);
  expect(judge('rate_limited', { provider: 'elevenlabs' }, { givenBack: 9 })).toMatchObject({
    retryInMs: 30_000,
  });
});

test('nobody puts a job off for more than an hour at a time, so that none expires for a number', () => {
  const hour = { retryInMs: 3_600_000 };
  for (const retryAfterMs of [1_893_456_000_000, 1e300, Number.POSITIVE_INFINITY]) {
    expect(judge('unavailable', { retryAfterMs })).toMatchObject({ outcome: 'failed', ...hour });
    expect(judge('rate_limited', { retryAfterMs })).toMatchObject({ outcome: 'snoozed', ...hour });
    expect(judge('quota_exhausted', { retryAfterMs })).toMatchObject({ outcome: 'snoozed', ...hour });
    expect(judge('auth', { retryAfterMs, breakerOpen: true })).toMatchObject({ outcome: 'snoozed', ...hour });
  }
  expect(judge('unavailable', {}, { gateMs: 7 * 86_400_000 })).toMatchObject({ outcome: 'snoozed', ...hour });
});

test('anything that is not a failure of ours is a bug, with its cause', () => {
  const thrown = new TypeError('x is not a function');
  expect(toFailure(thrown)).toMatchObject({ code: 'bug', message: 'x is not a function', cause: thrown });
  expect(verdictOf(thrown, { retry, failures: 0, givenBack: 0, random: 0 })).toMatchObject({
    stack: expect.stringContaining('TypeError'),
  });
});
