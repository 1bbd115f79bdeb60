// The throttle of wrong keys, in pretended time.
import { expect, test } from '@jest/globals';
import { createThrottle } from '../../shared/throttle.ts';

test('an address waits once its failures of the last minute are too many, and no other address does', () => {
  const throttle = createThrottle({ perMinute: 3 });
  for (const at of [0, 10_000, 20_000]) throttle.failed('a', at);
  expect(throttle.waitSeconds('a', 20_000)).toBe(40);
  expect(throttle.waitSeconds('b', 20_000)).toBe(0);
  expect(throttle.waitSeconds('a', 59_999)).toBe(1);
  expect(throttle.waitSeconds('a', 60_001)).toBe(0);
  throttle.failed('a', 60_001);
  expect(throttle.waitSeconds('a', 60_002)).toBe(10);
});
