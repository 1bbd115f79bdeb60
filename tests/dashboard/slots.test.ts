// The slots: few reads at once, each with a deadline that includes its wait.
import { expect, test } from '@jest/globals';
import { createSlots } from '../../dashboard/slots.ts';

test('no more than the given number run at once, and a slot is given back when work fails', async () => {
  const slots = createSlots({ atOnce: 2, deadlineMs: 5_000, late: () => new Error('late') });
  let running = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    if (fails) throw new Error('broken');
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) => slots(() => work(index % 3 === 0))),
  );
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  expect(most).toBe(2);
});

test('work that outlives its deadline keeps its slot until it ends, and who waited in vain is never started', async () => {
  const slots = createSlots({ atOnce: 1, deadlineMs: 20, late: () => new Error('late') });
  let finish: (() => void) | undefined;
  const slow = slots(() => new Promise<void>((resolve) => (finish = resolve)));
  let started = false;
  const waiting = slots(async () => {
    started = true;
    return Promise.resolve();
  });
  await expect(slow).rejects.toThrow('late');
  await expect(waiting).rejects.toThrow('late');
  finish?.();
  await expect(slots(() => Promise.resolve('next'))).resolves.toBe('next');
  expect(started).toBe(false);
});
