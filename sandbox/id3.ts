// The text of a narration, carried inside its MP3: an ID3v2.4 tag with one TXXX frame in UTF-8.
// Promises that a tag never looks like audio: UTF-8 has no byte 0xFF, and ID3 sizes are "syncsafe" (seven bits a byte).

const description = 'storytime-text';

function syncsafe(value: number): Buffer {
  return Buffer.from([(value >> 21) & 0x7f, (value >> 14) & 0x7f, (value >> 7) & 0x7f, value & 0x7f]);
}

function readSyncsafe(bytes: Buffer, at: number): number {
  const part = (index: number): number => (bytes[at + index] ?? 0) & 0x7f;
  return (part(0) << 21) | (part(1) << 14) | (part(2) << 7) | part(3);
}

/** The tag alone; audio frames follow it. */
export function writeTag(text: string): Buffer {
  const content = Buffer.concat([Buffer.from([3]), Buffer.from(`${description}\0${text}`)]);
  const frame = Buffer.concat([Buffer.from('TXXX'), syncsafe(content.length), Buffer.from([0, 0]), content]);
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0]), syncsafe(frame.length), frame]);
}

export interface Tag {
  /** Bytes of the whole tag, header included. */
  length: number;
  /** Our text; undefined in a tag that somebody else wrote. */
  text: string | undefined;
}

function readText(frames: Buffer, version: number): string | undefined {
  let at = 0;
  while (at + 10 <= frames.length) {
    const size = version === 4 ? readSyncsafe(frames, at + 4) : frames.readUInt32BE(at + 4);
    const name = frames.toString('latin1', at, at + 4);
    if (!/^[A-Z0-9]{4}$/.test(name)) return undefined;
    const content = frames.subarray(at + 10, at + 10 + size);
    const start = description.length + 2;
    if (name === 'TXXX' && content.toString('utf8', 1, start) === `${description}\0`) {
      return content.toString('utf8', start);
    }
    at += 10 + size;
  }
  return undefined;
}

/** The tag that starts at `at`; undefined when none starts there or it is cut off. */
export function readTag(bytes: Buffer, at: number): Tag | undefined {
  if (bytes.toString('latin1', at, at + 3) !== 'ID3' || at + 10 > bytes.length) return undefined;
  const version = bytes[at + 3] ?? 0;
  if (version < 2 || version > 4) return undefined;
  const length = 10 + readSyncsafe(bytes, at + 6);
  if (at + length > bytes.length) return undefined;
  const frames = bytes.subarray(at + 10, at + length);
  return { length, text: version === 2 ? undefined : readText(frames, version) };
}
