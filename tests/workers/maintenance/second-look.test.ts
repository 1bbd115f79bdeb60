import { expect, test } from '@jest/globals';
import type { Dispatched } from '../../../ledger/recover.ts';
import { eventually } from '../../support/house.ts';
import { SecondLook } from '../../../workers/maintenance/second-look.ts';

const job: Dispatched = { id: 'a', generation: 1, queue: 'email', state: 'waiting', run_at: '' };

test('a job is spared at the first look and not when the time has passed', () => {
  const patient = new SecondLook(60_000);
  expect([patient.spare(job), patient.spare(job)]).toEqual([true, true]);
  const hasty = new SecondLook(0);
  expect(hasty.spare(job)).toBe(false);
});

test('what was seen long ago is forgotten, so each generation has a first look', async () => {
  const look = new SecondLook(1);
  look.spare(job);
  await eventually('the time has passed', () => !look.spare(job));
  expect(look.spare({ ...job, generation: 2 })).toBe(true);
  await eventually('it is forgotten', () => {
    look.prune();
    return look.spare(job);
  });
});
