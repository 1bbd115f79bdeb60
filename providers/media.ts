// Looks at bytes before they are trusted: which picture they are, and how long an MP3 really plays.
// A name or a header can lie, and an answer that was cut in the middle still looks like a file.

/** By signature; undefined for anything that is neither a PNG nor a JPEG with more than a header. */
export function imageTypeOf(bytes: Uint8Array): 'image/png' | 'image/jpeg' | undefined {
  if (bytes.length < 100) return undefined;
  const starts = (...signature: number[]) => signature.every((byte, index) => bytes[index] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'image/png';
  return starts(0xff, 0xd8, 0xff) ? 'image/jpeg' : undefined;
}

/** kbit/s by the header's index, layer III; 0 (free) and 15 (bad) are not used by anyone we know. */
const kilobits = {
  one: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  two: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const rates = { one: [44_100, 48_000, 32_000], two: [22_050, 24_000, 16_000] };

/** Bytes of an ID3v2 tag at the start; its size is written in seven bits a byte. */
function tagLength(bytes: Uint8Array): number {
  if (bytes[0] !== 0x49 || bytes[1] !== 0x44 || bytes[2] !== 0x33) return 0;
  return 10 + [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((bytes[at] ?? 0) & 0x7f), 0);
}

function frameAt(bytes: Uint8Array, at: number): { length: number; seconds: number } | undefined {
  if (at + 3 > bytes.length) return undefined;
  const [sync, kind, rate] = bytes.subarray(at, at + 3) as unknown as [number, number, number];
  // 1111 1111 1111 v01x: MPEG-1 or MPEG-2, layer III.
  if (sync !== 0xff || (kind & 0xf6) !== 0xf2) return undefined;
  const version = (kind & 0x08) === 0 ? 'two' : 'one';
  const bits = kilobits[version][rate >> 4] ?? 0;
  const hertz = rates[version][(rate >> 2) & 3] ?? 0;
  if (bits === 0 || hertz === 0) return undefined;
  const samples = version === 'one' ? 1_152 : 576;
  const length = Math.floor((samples * 125 * bits) / hertz) + ((rate >> 1) & 1);
  return { length, seconds: samples / hertz };
}

/** Seconds an MPEG layer III file plays, counted frame by frame; undefined when it is none or its last frame is cut. */
export function mp3Seconds(bytes: Uint8Array): number | undefined {
  let at = tagLength(bytes);
  let seconds = 0;
  while (at < bytes.length) {
    const frame = frameAt(bytes, at);
    if (frame === undefined) return isTrailer(bytes, at) && seconds > 0 ? seconds : undefined;
    if (at + frame.length > bytes.length) return undefined;
    seconds += frame.seconds;
    at += frame.length;
  }
  return seconds > 0 ? seconds : undefined;
}

/** An ID3v1 tag of 128 bytes may follow the last frame. */
function isTrailer(bytes: Uint8Array, at: number): boolean {
  return bytes.length - at === 128 && bytes[at] === 0x54 && bytes[at + 1] === 0x41 && bytes[at + 2] === 0x47;
}
