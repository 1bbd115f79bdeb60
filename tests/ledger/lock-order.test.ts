// Which rows a batch writes depends on who was quicker; in which order they are locked must not.
import { expect, test } from '@jest/globals';
import type { Db, Statement } from '../../ledger/db.ts';
import { beginBatch } from '../../ledger/begin.ts';
import { finishBatch } from '../../ledger/finish.ts';
import { renewLeases, secureLeases, writeProgress } from '../../ledger/leases.ts';
import { redispatch } from '../../ledger/recover.ts';
import { succeedBatch } from '../../ledger/succeed.ts';

const jobs = ['c', 'a', 'd', 'b'].map((id, index) => ({
  jobId: id,
  id,
  attemptNo: index,
  generation: index,
}));

test('every statement that writes several jobs has them in the order of their ids, each with its own numbers', async () => {
  const sent = new Map<string, readonly unknown[]>();
  const run = <Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> => {
    sent.set(statement.name, values);
    return Promise.resolve([]);
  };
  const db = { run } as unknown as Db;
  const owner = { workerId: 'w', leaseMs: 1 };
  await beginBatch({ db, ...owner }, jobs);
  await finishBatch(
    run,
    'w',
    jobs.map((job) => ({ ...job, verdict: { outcome: 'cancelled' } })),
  );
  await succeedBatch(
    run,
    'w',
    jobs.map((job) => ({ ...job, result: '1' })),
  );
  await renewLeases(db, owner, jobs);
  await secureLeases(db, owner, jobs);
  await writeProgress(
    db,
    owner,
    jobs.map((job) => ({ ...job, percent: 1, message: null })),
  );
  await redispatch(db, jobs);
  sent.delete('attempt_refused'); // reads
  expect(new Set([...sent.values()].map(([ids, numbers]) => JSON.stringify([ids, numbers])))).toEqual(
    new Set([
      JSON.stringify([
        ['a', 'b', 'c', 'd'],
        [1, 3, 0, 2],
      ]),
    ]),
  );
  expect(sent.size).toBe(7);
});
