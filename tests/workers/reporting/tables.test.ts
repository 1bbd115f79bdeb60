// Rows of the reports from pages of the ledger.
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { ChargeLine, JobLine } from '../../../ledger/report-pages.ts';
import { costRows, usageRows } from '../../../workers/reporting/tables.ts';

async function* pagesOf<Line>(...pages: Line[][]): AsyncGenerator<Line[]> {
  yield* pages;
}

const line = { id: '1', day: '2026-11-20', kind: 'send-email', state: 'succeeded', attempts: 1, snoozes: 0 };

test('usage sums by day and kind, over the borders of pages', async () => {
  const pages = pagesOf<JobLine>(
    [line, { ...line, day: '2026-11-19', state: 'dead', attempts: 5 }],
    [
      { ...line, state: 'cancelled', attempts: 0 },
      { ...line, state: 'running', snoozes: 2, attempts: 3 },
      { ...line, kind: 'generate-report', state: 'expired' },
    ],
  );
  expect(await Readable.from(usageRows(pages)).toArray()).toEqual([
    ['2026-11-19', 'send-email', 1, 0, 1, 0, 0, 5, 0],
    ['2026-11-20', 'generate-report', 1, 0, 0, 0, 1, 1, 0],
    ['2026-11-20', 'send-email', 3, 1, 0, 1, 0, 4, 2],
  ]);
});

test('costs name every unit and count in dollars', async () => {
  const charge: ChargeLine = {
    day: '2026-11-20',
    jobId: 'j',
    kind: 'generate-story',
    step: 'write',
    provider: 'gemini',
    model: 'm',
    usage: [
      { unit: 'input_token', quantity: 812 },
      { unit: 'output_token', quantity: 1430 },
    ],
    microUsd: 5_971,
  };
  expect(await Readable.from(costRows(pagesOf([charge]))).toArray()).toEqual([
    [
      '2026-11-20',
      'j',
      'generate-story',
      'write',
      'gemini',
      'm',
      'input_token=812 output_token=1430',
      '0.005971',
    ],
  ]);
});
