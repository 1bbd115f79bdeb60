import { expect, test } from '@jest/globals';
import { remember } from '../../api/remember.ts';

test('askers in the same moment share one question, later ones ask again', async () => {
  let asked = 0;
  const kept = remember(60_000, async () => (asked += 1));
  expect(await Promise.all([kept(), kept(), kept()])).toEqual([1, 1, 1]);
  const forgotten = remember(0, async () => (asked += 1));
  expect([await forgotten(), await forgotten()]).toEqual([2, 3]);
});

test('a failure is told to those who asked and not kept', async () => {
  let asked = 0;
  const kept = remember(60_000, async () => {
    asked += 1;
    if (asked === 1) throw new Error('away');
    return asked;
  });
  await expect(kept()).rejects.toThrow('away');
  expect(await kept()).toBe(2);
});
