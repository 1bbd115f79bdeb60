// docs/job-states.md draws ledger/moves.ts: every arrow of one is an arrow of the other.
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { moves } from '../../ledger/moves.ts';

test('the page draws exactly the moves of the table', async () => {
  const page = await readFile('docs/job-states.md', 'utf8');
  const drawn = [...page.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} -> ${to}`);
  const allowed = Object.entries(moves).flatMap(([from, targets]) => targets.map((to) => `${from} -> ${to}`));
  expect(drawn.toSorted()).toEqual(allowed.toSorted());
});

test('the page explains every state', async () => {
  const page = await readFile('docs/job-states.md', 'utf8');
  const explained = [...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, state]) => String(state));
  expect(explained.toSorted()).toEqual(Object.keys(moves).toSorted());
});
