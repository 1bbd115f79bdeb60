// The size of a picture is read from its header, whatever follows.
import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { pictureSize } from '../../providers/picture-size.ts';

const picture = sharp({ create: { width: 321, height: 45, channels: 3, background: '#6a5acd' } });

test('a PNG and every kind of JPEG say how large they are', async () => {
  const files = await Promise.all([
    picture.clone().png().toBuffer(),
    picture.clone().jpeg().toBuffer(),
    picture.clone().jpeg({ progressive: true }).toBuffer(),
    picture
      .clone()
      .withExif({ IFD0: { Copyright: 'x'.repeat(5_000) } })
      .jpeg()
      .toBuffer(),
  ]);
  for (const bytes of files) {
    expect(pictureSize(bytes)).toEqual({ width: 321, height: 45 });
    expect(pictureSize(bytes.subarray(0, 20))).toBeUndefined();
  }
});

test('other bytes, and a JPEG that ends before its size, have none', async () => {
  const endless = Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(100, 0xff)]);
  const webp = await picture.clone().webp().toBuffer();
  for (const bytes of [Buffer.alloc(0), Buffer.from('<html>'.repeat(20)), webp, endless])
    expect(pictureSize(bytes)).toBeUndefined();
});
