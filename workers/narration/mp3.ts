// MP3 files laid end to end. Lengths come from counting frames, because that is what a player plays; a vendor's timings
// may end earlier or later. The frame that announces a file's length (Xing, Info) is left out of a joined file: players
// believe it, and would stop after the first part.

/** kbit/s by the header's index; 0 (free) and 15 (bad) are not used by anyone we know. */
const kilobits = {
  one: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  two: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
/** Hertz, by version bits: MPEG 2.5, reserved, 2, 1. */
const rates = [[11_025, 12_000, 8_000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]];

interface Piece {
  /** Bytes. */
  length: number;
  /** 0 for a tag. */
  seconds: number;
}

export interface Mp3 {
  /** Playing time. */
  seconds: number;
  /** The file without its announcement frame. */
  bytes: Uint8Array;
}

/**
 * Reads an MPEG layer III file; undefined when it is none, or cut, or has something else in it. Nothing is kept of a frame: a
 * file may have millions.
 */
export function readMp3(bytes: Uint8Array): Mp3 | undefined {
  let seconds = 0;
  let start: (Piece & { at: number }) | undefined;
  for (let at = 0; at < bytes.length;) {
    const piece = tagAt(bytes, at) ?? frameAt(bytes, at);
    if (piece === undefined || at + piece.length > bytes.length) return undefined;
    if (piece.seconds > 0) start ??= { ...piece, at };
    seconds += piece.seconds;
    at += piece.length;
  }
  if (start === undefined) return undefined;
  if (!announces(bytes.subarray(start.at, start.at + start.length))) return { seconds, bytes };
  const playing = seconds - start.seconds;
  return playing === 0 ? undefined : { seconds: playing, bytes: without(bytes, start) };
}

/** One file that plays the parts one after the other; `startSeconds` says where each begins. */
export function joinMp3(parts: readonly Mp3[]): Mp3 & { startSeconds: readonly number[] } {
  const startSeconds: number[] = [];
  let seconds = 0;
  for (const part of parts) {
    startSeconds.push(seconds);
    seconds += part.seconds;
  }
  return { seconds, startSeconds, bytes: new Uint8Array(Buffer.concat(parts.map((part) => part.bytes))) };
}

/** As numbers: a string for each frame would take most of the time. */
const marks = { TAG: 0x54_41_47, ID3: 0x49_44_33 };

/** ID3v2 anywhere, ID3v1 (128 bytes) at the end: players skip both. */
function tagAt(bytes: Uint8Array, at: number): Piece | undefined {
  const mark = [0, 1, 2].reduce((sum, index) => sum * 256 + (bytes[at + index] ?? 0), 0);
  if (mark === marks.TAG && bytes.length - at === 128) return { length: 128, seconds: 0 };
  if (mark !== marks.ID3) return undefined;
  // Seven bits a byte, so that a size never looks like the start of a frame.
  const size = [6, 7, 8, 9].reduce((sum, index) => sum * 128 + ((bytes[at + index] ?? 0) & 0x7f), 0);
  return { length: 10 + size, seconds: 0 };
}

function frameAt(bytes: Uint8Array, at: number): Piece | undefined {
  if (at + 3 > bytes.length) return undefined;
  const [sync, kind, rate] = bytes.subarray(at, at + 3) as unknown as [number, number, number];
  // 1111 1111 111v vLLc: eleven bits of sync, the version, layer III.
  if (sync !== 0xff || (kind & 0xe6) !== 0xe2) return undefined;
  const one = kind >> 3 === 0b11111;
  const hertz = rates[(kind >> 3) & 3]?.[(rate >> 2) & 3];
  const kbps = kilobits[one ? 'one' : 'two'][rate >> 4] ?? 0;
  if (hertz === undefined || kbps === 0) return undefined;
  const samples = one ? 1_152 : 576;
  const length = Math.floor((samples * 125 * kbps) / hertz) + ((rate >> 1) & 1);
  return { length, seconds: samples / hertz };
}

/** The mark stands behind the header and the side information, which take 13 to 36 bytes. */
function announces(frame: Uint8Array): boolean {
  return /Xing|Info|VBRI/.test(Buffer.from(frame.subarray(0, 48)).toString('latin1'));
}

function without(bytes: Uint8Array, gap: { at: number; length: number }): Uint8Array {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, gap.at), bytes.subarray(gap.at + gap.length)]));
}
