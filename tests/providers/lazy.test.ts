// An SDK is loaded once for all callers, and a failed load does not last.
import { expect, test } from '@jest/globals';
import { lazily } from '../../providers/lazy.ts';

test('callers at the same time share one load', async () => {
  let loads = 0;
  const client = lazily('test', () => Promise.resolve((loads += 1)));
  expect(await Promise.all([client(), client(), client()])).toEqual([1, 1, 1]);
});

test('a load that fails is a Failure, and the next call tries again', async () => {
  let loads = 0;
  const cause = new SyntaxError('broken package');
  const client = lazily('test', () => {
    loads += 1;
    return loads === 1 ? Promise.reject(cause) : Promise.resolve('loaded');
  });
  await expect(client()).rejects.toMatchObject({ name: 'Failure', code: 'bug', provider: 'test', cause });
  expect(await client()).toBe('loaded');
});
