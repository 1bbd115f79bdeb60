import { expect, test } from '@jest/globals';
import { backoffMs } from '../../queues/backoff.ts';

const exponential = { attempts: 9, backoff: 'exponential', delayMs: 1_000 } as const;

test('an exponential wait doubles from its first delay and stops at an hour', () => {
  expect([1, 2, 3, 4].map((failed) => backoffMs(exponential, failed, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000,
  ]);
  for (const failed of [13, 100, 10_000]) expect(backoffMs(exponential, failed, 0)).toBe(3_600_000);
});

test('a fixed wait stays what it is', () => {
  const fixed = { ...exponential, backoff: 'fixed' } as const;
  expect([1, 7].map((failed) => backoffMs(fixed, failed, 0))).toEqual([1_000, 1_000]);
});

test('jitter adds up to a fifth, so that jobs that failed together do not come back together', () => {
  expect(backoffMs(exponential, 1, 0.999)).toBe(1_200);
});
