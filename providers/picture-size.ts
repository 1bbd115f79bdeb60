// How large a picture says it is, from its header alone: nothing is decoded, so a bomb is refused for the price of its first
// bytes. PNG and JPEG, which is what Gemini draws.

export interface PictureSize {
  /** Pixels. */
  width: number;
  height: number;
}

/** Start-of-frame markers: C0 to CF without DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function jpegSize(view: DataView): PictureSize | undefined {
  // Segment after segment: FF, marker, length; the frame's header stands before the first scan.
  for (let at = 2; at + 9 <= view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (isFrame(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += marker === 0xff ? 1 : 2 + Math.max(2, view.getUint16(at + 2)); // FF FF: a filler byte
  }
  return undefined;
}

/** Undefined for what is neither, or ends before its size. */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) return undefined;
  if (view.getUint32(0) === 0x89_50_4e_47 && view.getUint32(12) === 0x49_48_44_52)
    return { width: view.getUint32(16), height: view.getUint32(20) };
  return view.getUint16(0) === 0xff_d8 ? jpegSize(view) : undefined;
}
