// CSV files as a spreadsheet must read them.
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { writeCsv } from '../../../workers/reporting/csv.ts';
import type { Row } from '../../../workers/reporting/tables.ts';

const { signal } = new AbortController();

async function keep(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Readable.from(chunks).toArray()).toString();
}
const sink = { keep, signal };

async function* rowsOf(count: number, cells: Row): AsyncGenerator<Row> {
  for (let index = 0; index < count; index += 1) yield cells;
}

async function full(chunks: AsyncIterable<Uint8Array>): Promise<never> {
  for await (const _ of chunks) throw new Error('the disk is full');
  throw new Error('nothing came');
}

async function* broken(): AsyncGenerator<Row> {
  yield ['x'];
  throw new Error('the ledger is away');
}

test('a file has a byte order mark, a head, a line for each row, and quotes what needs it', async () => {
  const file = await writeCsv(['a', 'b'], rowsOf(2, ['x, "y"\n', 7]), sink);
  expect(file.bytes).toBe('\uFEFFa,b\r\n"x, ""y""\n",7\r\n"x, ""y""\n",7\r\n');
  expect(file.rows).toBe(2);
});

test('a cell that a spreadsheet would run is text', async () => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '＝1'];
  const { bytes } = await writeCsv(formulas, rowsOf(1, formulas), sink);
  const cells = bytes.split('\r\n')[1]?.split(',') ?? [];
  expect(cells).toHaveLength(formulas.length);
  for (const cell of cells) expect(cell.replace(/^"/, '')).toMatch(/^'/);
});

test('a report without rows has a head', async () => {
  expect(await writeCsv(['a'], rowsOf(0, []), sink)).toEqual({ bytes: '\uFEFFa\r\n', rows: 0 });
});

test('a page that cannot be read, an abort and a part that cannot be stored all end the writing, and the reading', async () => {
  await expect(writeCsv(['a'], broken(), sink)).rejects.toThrow('the ledger is away');
  const aborted = { keep, signal: AbortSignal.abort() };
  await expect(writeCsv(['a'], rowsOf(1e9, ['x']), aborted)).rejects.toThrow(/abort/i);
  let ended = false;
  async function* watched(): AsyncGenerator<Row> {
    try {
      yield* rowsOf(1e9, ['x']);
    } finally {
      ended = true;
    }
  }
  await expect(writeCsv(['a'], watched(), { keep: full, signal })).rejects.toThrow('the disk is full');
  expect(ended).toBe(true);
});

test('rows are read as fast as their bytes are taken, so that a file of any size needs the memory of a few rows', async () => {
  const cell = 'x'.repeat(998);
  const count = 50_000;
  let read = 0;
  let taken = 0;
  let ahead = 0;
  async function* counted(): AsyncGenerator<Row> {
    for await (const row of rowsOf(count, [cell])) {
      read += 1_000;
      yield row;
    }
  }
  const slow = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const { length } of chunks) {
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      taken += length;
      ahead = Math.max(ahead, read - taken);
    }
  };
  await writeCsv(['a'], counted(), { keep: slow, signal });
  expect([read, taken]).toEqual([count * 1_000, count * 1_000 + '\uFEFFa\r\n'.length + 2]);
  expect(ahead).toBeLessThan(500_000);
});
