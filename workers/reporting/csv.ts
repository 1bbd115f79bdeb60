// Rows into a CSV file, streamed: a row is turned into bytes as soon as it is read, and then forgotten.
// A cell that a spreadsheet would run as a formula is written as text.
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { Failure } from '../../shared/errors.ts';
import type { Row } from './tables.ts';

export interface CsvFile {
  bytes: Uint8Array;
  /** Lines of data; the head is not counted. */
  rows: number;
}

/** An artifact is one value in a table; a larger file would hold up everybody else's. */
const maxBytes = 32_000_000;

/** UTF-8 with a byte order mark (Excel takes it for Latin-1 without one), CRLF, one head line. */
export async function writeCsv(
  columns: readonly string[],
  rows: AsyncIterable<Row>,
  signal: AbortSignal,
): Promise<CsvFile> {
  let count = 0;
  async function* counted(): AsyncGenerator<Row> {
    for await (const row of rows) {
      count += 1;
      yield row;
    }
  }
  const format = { header: true, columns: [...columns], escape_formulas: true, bom: true } as const;
  const source = Readable.from(counted(), { signal });
  const encoder = stringify({ ...format, record_delimiter: 'windows' });
  // pipe() alone would leave the reader waiting for ever when a page cannot be read.
  source.on('error', (error) => encoder.destroy(error));
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.pipe(encoder) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes)
      throw new Failure(
        'bad_input',
        `the report failed: it has over ${maxBytes} bytes; ask for a shorter period`,
      );
    chunks.push(chunk);
  }
  return { bytes: new Uint8Array(Buffer.concat(chunks, size)), rows: count };
}
