// Reads an MP3 the way a decoder does: frame by frame, over junk and over tags in the middle of the stream.
// A frame counts only when all its bytes are there, so what is said about a file is true of these bytes.
import { readTag } from './id3.ts';

const rates = {
  v1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const sampleRates: Record<number, number[]> = {
  3: [44_100, 48_000, 32_000],
  2: [22_050, 24_000, 16_000],
  0: [11_025, 12_000, 8_000],
};

export interface FrameHeader {
  /** Bytes. */
  length: number;
  seconds: number;
  sampleRateHz: number;
  kbps: number;
  channels: 1 | 2;
}

/** The MPEG layer III frame header at `at`, when there is one. */
export function readHeader(bytes: Buffer, at: number): FrameHeader | undefined {
  if (at + 4 > bytes.length) return undefined;
  const word = bytes.readUInt32BE(at);
  // Eleven bits of sync, then layer III.
  if (word >>> 21 !== 0x7ff || ((word >>> 17) & 3) !== 1) return undefined;
  const version = (word >>> 19) & 3;
  const sampleRateHz = sampleRates[version]?.[(word >>> 10) & 3];
  const kbps = (version === 3 ? rates.v1 : rates.v2)[(word >>> 12) & 15];
  if (sampleRateHz === undefined || !kbps) return undefined;
  const samples = version === 3 ? 1152 : 576;
  const length = Math.floor((samples * 125 * kbps) / sampleRateHz) + ((word >>> 9) & 1);
  const channels = ((word >>> 6) & 3) === 3 ? 1 : 2;
  return { length, seconds: samples / sampleRateHz, sampleRateHz, kbps, channels };
}

/** The audio between one tag and the next. */
export interface Segment {
  text: string | undefined;
  frames: number;
  startSeconds: number;
  seconds: number;
}

export interface Mp3 {
  frames: number;
  seconds: number;
  first: FrameHeader;
  segments: Segment[];
}

const id3v1Length = 128;

/** A whole frame ends where the file ends, or where something else begins; otherwise it was cut. */
function endsWell(bytes: Buffer, end: number): boolean {
  if (end >= bytes.length) return end === bytes.length;
  const mark = bytes.toString('latin1', end, end + 3);
  return mark === 'ID3' || mark === 'TAG' || readHeader(bytes, end) !== undefined;
}

interface Reading {
  segments: Segment[];
  first: FrameHeader | undefined;
  seconds: number;
  junk: number;
}

function open(reading: Reading, text: string | undefined): Segment {
  const segment = { text, frames: 0, startSeconds: reading.seconds, seconds: 0 };
  reading.segments.push(segment);
  return segment;
}

function count(reading: Reading, header: FrameHeader): void {
  const segment = reading.segments.at(-1) ?? open(reading, undefined);
  segment.frames += 1;
  segment.seconds += header.seconds;
  reading.seconds += header.seconds;
  reading.first ??= header;
}

/** Reads one thing at `at` and says how many bytes it took. */
function step(bytes: Buffer, at: number, reading: Reading): number {
  const header = readHeader(bytes, at);
  if (header && endsWell(bytes, at + header.length)) {
    count(reading, header);
    return header.length;
  }
  const tag = readTag(bytes, at);
  if (tag) {
    open(reading, tag.text);
    return tag.length;
  }
  if (at + id3v1Length === bytes.length && bytes.toString('latin1', at, at + 3) === 'TAG') return id3v1Length;
  reading.junk += 1;
  return 1;
}

/** undefined when this is not an MP3: no whole frame, or more junk than audio. */
export function readMp3(bytes: Buffer): Mp3 | undefined {
  const reading: Reading = { segments: [], first: undefined, seconds: 0, junk: 0 };
  for (let at = 0; at < bytes.length;) at += step(bytes, at, reading);
  if (!reading.first || reading.junk > bytes.length / 2) return undefined;
  const frames = reading.segments.reduce((sum, segment) => sum + segment.frames, 0);
  return { frames, seconds: reading.seconds, first: reading.first, segments: reading.segments };
}
