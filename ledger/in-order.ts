// Questions about the beginning of a long list. The planner may gather a list and sort it instead of reading the index in its order,
// by statistics that know nothing of the backlog of the last minutes: then LIMIT bounds the answer and not what is read.
import type { Db, Statement } from './db.ts';

const noSort: Statement = { name: 'no_sort', text: `SELECT set_config('enable_sort', 'off', true)` };

/** Runs a statement whose ORDER BY is that of an index: it is read in that order, whatever the statistics say. */
export function runInOrder<Row extends object>(
  db: Pick<Db, 'transaction'>,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  return db.transaction(async (run) => {
    await run(noSort, []);
    return run<Row>(statement, values);
  });
}
