// What ends again and again is started more and more slowly; what ran well in between is forgiven.
import { expect, test } from '@jest/globals';
import { growingPause, longestPauseMs, steadyMs } from '../../shared/growing-pause.ts';

test('each pause is twice the one before, up to half a minute, until a start was good', () => {
  const next = growingPause(100);
  expect([next(5), next(5), next(5)]).toEqual([100, 200, 400]);
  for (let ends = 0; ends < 10; ends += 1) next(5);
  expect(next(5)).toBe(longestPauseMs);
  expect([next(steadyMs + 1), next(5)]).toEqual([100, 200]);
});
