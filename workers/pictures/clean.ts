// A picture checked before it is decoded and made anew: what leaves here has no metadata, no second file behind it and no
// surprise in its size. What is refused is refused for good, and fast: nothing below decodes before the header was judged.
import type { Metadata } from 'sharp';
import { Failure } from '../../shared/errors.ts';

export interface CleanPicture {
  bytes: Uint8Array;
  contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Pixels. */
  width: number;
  height: number;
}

const maxBytes = 10_000_000;
const maxPixels = 40_000_000;
const maxFrames = 200;

/** Detected type -> the type it is written as. No SVG: it can hold scripts and load other files. */
const formats: Readonly<Record<string, 'png' | 'jpeg' | 'webp'>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/webp': 'webp',
  'image/gif': 'png',
};

/** Throws a `bad_input` Failure for anything that is not a whole, reasonable picture. */
export async function cleanPicture(bytes: Uint8Array): Promise<CleanPicture> {
  if (bytes.length > maxBytes)
    throw refused(`it has ${bytes.length} bytes`, `at most ${maxBytes} bytes are taken`);
  const { fileTypeFromBuffer } = await import('file-type');
  const mime = (await fileTypeFromBuffer(bytes))?.mime ?? 'unknown';
  const format = formats[mime];
  if (format === undefined) throw refused(`its type is ${mime}`, 'PNG, JPEG, WebP and GIF are taken');
  const { default: sharp } = await import('sharp');
  const options = { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true } as const;
  try {
    // Without the limit only the header is read here, so that what is refused is told why.
    judge(await sharp(bytes, { ...options, limitInputPixels: false }).metadata());
    // Without keepMetadata() sharp writes none; turning first keeps the picture as its camera meant it.
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .toFormat(format)
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, contentType: `image/${format}`, width: info.width, height: info.height };
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    // The decoder's own words can quote bytes of the file; they stay in the cause.
    throw refused('it is damaged', 'a whole file is taken', thrown);
  }
}

function judge(header: Metadata): void {
  const { width, height, pages = 1 } = header;
  if (width * height > maxPixels)
    throw refused(`it has ${width} x ${height} pixels`, `at most ${maxPixels} pixels are taken`);
  if (pages > maxFrames) throw refused(`it has ${pages} frames`, `at most ${maxFrames} frames are taken`);
}

function refused(why: string, rule: string, cause?: unknown): Failure {
  return new Failure('bad_input', `the picture was refused: ${why}; ${rule}`, { cause });
}
