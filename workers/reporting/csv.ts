// Rows into a CSV file, streamed: a row is turned into bytes as soon as it is read, and is read as soon as there is room for it.
// A cell that a spreadsheet would run as a formula is written as text.
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import type { Row } from './tables.ts';

export interface CsvFile<Kept> {
  /** What `keep` made of its bytes. */
  bytes: Kept;
  /** Lines of data; the head is not counted. */
  rows: number;
}

export interface Sink<Kept> {
  keep: (chunks: AsyncIterable<Uint8Array>) => Promise<Kept>;
  signal: AbortSignal;
}

/** UTF-8 with a byte order mark (Excel takes it for Latin-1 without one), CRLF, one head line. */
export async function writeCsv<Kept>(
  columns: readonly string[],
  rows: AsyncIterable<Row>,
  { keep, signal }: Sink<Kept>,
): Promise<CsvFile<Kept>> {
  let count = 0;
  async function* counted(): AsyncGenerator<Row> {
    for await (const row of rows) {
      count += 1;
      yield row;
    }
  }
  const format = { header: true, columns: [...columns], escape_formulas: true, bom: true } as const;
  const encoder = stringify({ ...format, record_delimiter: 'windows' });
  const bytes = await pipeline(counted(), encoder, (chunks: AsyncIterable<Uint8Array>) => keep(chunks), {
    signal,
  });
  return { bytes, rows: count };
}
