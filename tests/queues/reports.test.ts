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

test('a moment before 1970 or after 9999 is refused, whatever its zone: PostgreSQL may not have its year', () => {
  const first = '1970-01-01T00:00:00Z';
  const last = '9999-12-31T23:59:59.999Z';
  expect(accepted('generate-report', { report: 'usage', from: first, to: last })).toMatchObject({ to: last });
  for (const early of ['0001-01-01T00:00:00+23:59', '0000-06-01T00:00:00Z', '1970-01-01T00:00:00+00:01'])
    expect(refusals('generate-report', { report: 'usage', from: early, to })).toEqual([
      '/payload/from validation_failed',
    ]);
  expect(refusals('generate-report', { report: 'usage', from, to: '9999-12-31T23:59:59-00:01' })).toEqual([
    '/payload/to validation_failed',
  ]);
});

/** `2026-11-01T00:00:00.111+01:00`, with as many digits as are wanted. */
function periodOf(digits: number): { from: string; to: string } {
  return { from: `2026-11-01T00:00:00.${'1'.repeat(digits)}+01:00`, to };
}

test('every period of a report fits into the mail that tells of it', () => {
  const longest = periodOf(14);
  expect(longest.from).toHaveLength(40);
  expect(refusals('generate-report', { report: 'usage', ...longest })).toEqual([]);
  const variables = { report: 'usage (csv)', rows: 0, link: 'https://api.example/report', ...longest };
  expect(refusals('send-email', { template: 'report-ready', to: 'ops@example.com', variables })).toEqual([]);
  expect(refusals('generate-report', { report: 'usage', ...periodOf(15) })).toEqual([
    '/payload/from validation_failed',
  ]);
});
