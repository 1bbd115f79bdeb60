// Ranges of a file (RFC 9110 §14): a browser that plays a narration asks for parts of it, and cannot seek without them.
import type { Answer } from './frame.ts';

interface Range {
  from: number;
  /** Inclusive. */
  to: number;
}

/** undefined when there is no range, or more than one, which may be answered with the whole. */
function readRange(range: string | undefined, size: number): Range | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '') return last === '' ? undefined : { from: Math.max(0, size - Number(last)), to: size - 1 };
  return { from: Number(first), to: Math.min(last === '' ? Infinity : Number(last), size - 1) };
}

/** 200 with everything, 206 with the part, or 416 when the part lies outside. */
export function withRange(
  header: string | undefined,
  headers: Record<string, string>,
  bytes: Buffer,
): Answer {
  const size = bytes.length;
  const range = readRange(header, size);
  const common = { ...headers, 'accept-ranges': 'bytes' };
  if (!range) return { status: 200, headers: common, body: bytes };
  if (range.from > range.to) {
    return { status: 416, headers: { ...common, 'content-range': `bytes */${size}` }, body: '' };
  }
  const part = { ...common, 'content-range': `bytes ${range.from}-${range.to}/${size}` };
  return { status: 206, headers: part, body: bytes.subarray(range.from, range.to + 1) };
}
