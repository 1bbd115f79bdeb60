// Which pictures are taken, and what is left of them.
import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { Failure } from '../../../shared/errors.ts';
import { cleanPicture } from '../../../workers/pictures/clean.ts';

const picture = sharp({ create: { width: 320, height: 240, channels: 3, background: '#6a5acd' } });

/** A PNG that says it is of this size, with nothing behind its header. */
async function pngOfSize(width: number, height: number): Promise<Buffer> {
  const { crc32 } = await import('node:zlib');
  const bytes = await picture.clone().png().toBuffer();
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** A GIF of one pixel with many frames. */
function gifOf(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex');
  const frame = Buffer.from('21f90400010000002c0000000001000100000202440100', 'hex');
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
}

async function refusal(bytes: Uint8Array): Promise<{ code: string; message: string; ms: number }> {
  const start = performance.now();
  const thrown: unknown = await cleanPicture(bytes).catch((error: unknown) => error);
  if (!(thrown instanceof Failure)) throw new Error('the picture was taken', { cause: thrown });
  return { code: thrown.code, message: thrown.message, ms: performance.now() - start };
}

test('a picture keeps its look and loses its metadata and whatever hangs behind it', async () => {
  const photo = await picture
    .clone()
    .withExif({ IFD0: { Copyright: 'Somebody', ImageDescription: 'secret place' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  const clean = await cleanPicture(Buffer.concat([photo, Buffer.from('<script>alert(1)</script>')]));
  expect(clean).toMatchObject({ contentType: 'image/jpeg', width: 240, height: 320 });
  const { exif, icc, xmp } = await sharp(clean.bytes).metadata();
  expect({ exif, icc, xmp }).toEqual({ exif: undefined, icc: undefined, xmp: undefined });
  expect(Buffer.from(clean.bytes).includes('script')).toBe(false);
});

test.each([
  ['HTML', Buffer.from('<html><body>image/png</body></html>'), 'its type is unknown'],
  [
    'SVG',
    Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
    'its type is',
  ],
  ['ZIP', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(200)]), 'its type is'],
  ['nothing', Buffer.alloc(0), 'its type is unknown'],
])('%s is refused by its bytes', async (_, bytes, why) => {
  expect((await refusal(bytes)).message).toContain(`the picture was refused: ${why}`);
});

test('a bomb, an empty picture, a film, a cut file and a huge file are refused for good in less than 200 ms', async () => {
  await cleanPicture(await picture.clone().png().toBuffer()); // loads the libraries
  const photo = await picture.clone().jpeg().toBuffer();
  const refusals = {
    bomb: await refusal(await pngOfSize(30_000, 30_000)),
    empty: await refusal(await pngOfSize(0, 240)),
    film: await refusal(gifOf(10_000)),
    cut: await refusal(photo.subarray(0, photo.length / 2)),
    huge: await refusal(Buffer.alloc(10_000_001)),
  };
  expect(Object.fromEntries(Object.entries(refusals).map(([name, { message }]) => [name, message]))).toEqual({
    bomb: expect.stringContaining('30000 x 30000 pixels'),
    empty: expect.stringContaining('it is damaged'),
    film: expect.stringContaining('10000 frames'),
    cut: expect.stringContaining('it is damaged'),
    huge: expect.stringContaining('10000001 bytes'),
  });
  for (const { code, ms } of Object.values(refusals)) {
    expect(code).toBe('bad_input');
    expect(ms).toBeLessThan(200);
  }
});
