// How many calls at once, and how long those stay away that were too many.
import { expect, test } from '@jest/globals';
import { createLimit } from '../../providers/guard-limit.ts';

const free = { opening: undefined, maxCalls: undefined };

test('refusals in a row stay away for longer each time, those of one moment are one, and a success begins anew', () => {
  const limit = createLimit();
  for (let call = 0; call < 4; call += 1) limit.take(free);
  expect([limit.refused(0), limit.refused(10), limit.refused(1_999)]).toEqual([2_000, 2_000, 2_000]);
  const later = [2_000, 6_000, 14_000, 30_000, 62_000, 122_000].map((at) => limit.refused(at));
  expect(later).toEqual([4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  limit.give(false);
  expect(limit.refused(182_000)).toBe(60_000);
  limit.give(true);
  expect(limit.refused(182_001)).toBe(2_000);
});
