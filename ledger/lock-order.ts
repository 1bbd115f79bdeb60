// Statements that write several jobs lock them in the order of their ids: two of them that did so in orders of their own would
// wait for each other until PostgreSQL ends one, a second later. Pure.

/** In the order in which their rows are to be locked. */
export function inLockOrder<Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] {
  return rows.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}
