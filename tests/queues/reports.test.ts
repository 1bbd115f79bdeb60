// Which reports may be asked for.
import { expect, test } from '@jest/globals';
import { accepted, refusals } from './refusals.ts';

const from = '2026-11-01T00:00:00Z';
const to = '2026-12-01T00:00:00+01:00';

test('a report needs a period that ends after it begins, in moments with a zone', () => {
  expect(accepted('generate-report', { report: 'usage', from, to })).toMatchObject({ format: 'csv' });
  expect(refusals('generate-report', { report: 'usage', from: to, to: from })).toEqual([
    '/payload/to validation_failed',
  ]);
  expect(refusals('generate-report', { report: 'usage', from: '2026-11-01', to })).toEqual([
    '/payload/from validation_failed',
  ]);
  expect(refusals('generate-report', { report: 'salaries', from, to })).toEqual([
    '/payload/report validation_failed',
  ]);
});
