import { expect, test } from '@jest/globals';
import { createBatcher, type Settled } from '../../shared/batcher.ts';

interface Commit {
  items: readonly number[];
  done: (results: Settled<number>[]) => void;
  fail: (error: Error) => void;
}

/** A batcher whose commits end when the test says so. */
function open(max: number): {
  add: (item: number) => Promise<number>;
  idle: () => Promise<void>;
  next: () => Promise<Commit>;
} {
  const commits: Commit[] = [];
  const waiting: ((commit: Commit) => void)[] = [];
  const batcher = createBatcher<number, number>({
    max,
    run: (items) =>
      new Promise((done, fail) => {
        const commit = { items, done, fail };
        const next = waiting.shift();
        if (next === undefined) commits.push(commit);
        else next(commit);
      }),
  });
  return {
    ...batcher,
    next: () => {
      const commit = commits.shift();
      return commit === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(commit);
    },
  };
}

const doubled = ({ items, done }: Commit): void => done(items.map((item) => ({ value: item * 2 })));

test('while one batch is being committed the next one gathers, up to its limit', async () => {
  const { add, next, idle } = open(3);
  const first = [add(1), add(2)];
  const one = await next();
  expect(one.items).toEqual([1, 2]);
  const later = [3, 4, 5, 6].map(add);
  doubled(one);
  const two = await next();
  expect(two.items).toEqual([3, 4, 5]);
  doubled(two);
  doubled(await next());
  expect(await Promise.all([...first, ...later])).toEqual([2, 4, 6, 8, 10, 12]);
  await idle();
});

test('one bad item fails alone, a commit that throws fails its batch, and the next batch is not harmed', async () => {
  const { add, next } = open(10);
  const mixed = [add(1), add(2)];
  const settled = Promise.allSettled(mixed);
  (await next()).done([{ value: 1 }, { error: new Error('bad') }]);
  expect((await settled).map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
  const lost = Promise.allSettled([add(3), add(4)]);
  (await next()).fail(new Error('the ledger is away'));
  expect((await lost).map((one) => one.status)).toEqual(['rejected', 'rejected']);
  const forgotten = add(5);
  const commit = await next();
  commit.done([]);
  await expect(forgotten).rejects.toThrow('no result');
  const fine = add(6);
  doubled(await next());
  expect(await fine).toBe(12);
});
