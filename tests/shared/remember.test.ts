// Covers: shared/remember.ts
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { remember } from '../../shared/remember.ts';

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

test('a question that takes longer than its answer is kept is not put again beside itself', async () => {
  let asked = 0;
  const kept = remember(0, async () => {
    asked += 1;
    await setImmediate();
    return asked;
  });
  const first = kept();
  await Promise.resolve();
  expect(await Promise.all([first, kept()])).toEqual([1, 1]);
  expect(await kept()).toBe(2);
});

test('an answer that took long is kept for longer, so that asking takes no more than its share of the time', async () => {
  let asked = 0;
  const count = async (): Promise<number> => {
    await setImmediate();
    return (asked += 1);
  };
  const seldom = remember(0, count, 1e-9);
  expect([await seldom(), await seldom()]).toEqual([1, 1]);
});
