// CSV files as a spreadsheet must read them.
import { expect, test } from '@jest/globals';
import { Failure } from '../../../shared/errors.ts';
import { writeCsv } from '../../../workers/reporting/csv.ts';
import type { Row } from '../../../workers/reporting/tables.ts';

const { signal } = new AbortController();

async function* rowsOf(count: number, cells: Row): AsyncGenerator<Row> {
  for (let index = 0; index < count; index += 1) yield cells;
}

async function* broken(): AsyncGenerator<Row> {
  yield ['x'];
  throw new Error('the ledger is away');
}

test('a file has a byte order mark, a head, a line for each row, and quotes what needs it', async () => {
  const file = await writeCsv(['a', 'b'], rowsOf(2, ['x, "y"\n', 7]), signal);
  expect(Buffer.from(file.bytes).toString()).toBe('\uFEFFa,b\r\n"x, ""y""\n",7\r\n"x, ""y""\n",7\r\n');
  expect(file.rows).toBe(2);
});

test('a cell that a spreadsheet would run is text', async () => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '＝1'];
  const { bytes } = await writeCsv(formulas, rowsOf(1, formulas), signal);
  const cells = Buffer.from(bytes).toString().split('\r\n')[1]?.split(',') ?? [];
  expect(cells).toHaveLength(formulas.length);
  for (const cell of cells) expect(cell.replace(/^"/, '')).toMatch(/^'/);
});

test('a report without rows has a head', async () => {
  expect((await writeCsv(['a'], rowsOf(0, []), signal)).rows).toBe(0);
});

test('a page that cannot be read, an abort and a file without end all end the writing', async () => {
  await expect(writeCsv(['a'], broken(), signal)).rejects.toThrow('the ledger is away');
  await expect(writeCsv(['a'], rowsOf(1e9, ['x']), AbortSignal.abort())).rejects.toThrow(/abort/i);
  const endless = writeCsv(['a'], rowsOf(1e9, ['x'.repeat(100_000)]), signal);
  await expect(endless).rejects.toThrow(Failure);
});
