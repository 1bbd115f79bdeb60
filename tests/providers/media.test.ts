// Bytes are what their signature and their frames say, not what a header says.
import { expect, test } from '@jest/globals';
import { imageTypeOf, mp3Seconds } from '../../providers/media.ts';

/** `count` frames of silence: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, 417 bytes each. */
function mp3(count: number): Uint8Array {
  const frame = new Uint8Array(417);
  frame.set([0xff, 0xfb, 0x90, 0x00]);
  return Buffer.concat(Array.from({ length: count }, () => frame));
}
const tag = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 1, 2, ...Array.from({ length: 130 }, () => 0xff)]);
const trailer = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)]);

const filled = (...start: number[]) => Uint8Array.from([...start, ...Array.from({ length: 200 }, () => 7)]);

test('an MP3 is measured frame by frame, with tags before and after', () => {
  expect(mp3Seconds(mp3(100))).toBeCloseTo((100 * 1_152) / 44_100, 6);
  const half = new Uint8Array(156); // MPEG-2, 48 kbit/s, 22.05 kHz
  half.set([0xff, 0xf3, 0x60, 0xc4]);
  expect(mp3Seconds(Buffer.concat([half, half]))).toBeCloseTo((2 * 576) / 22_050, 6);
  expect(mp3Seconds(Buffer.concat([tag, mp3(10), trailer]))).toBeCloseTo((10 * 1_152) / 44_100, 6);
});

test('audio that was cut, is empty or is something else is no MP3', () => {
  const whole = mp3(5);
  for (const bytes of [
    whole.subarray(0, -1),
    new Uint8Array(),
    tag,
    trailer,
    Buffer.from('<html>'),
    whole.subarray(1),
  ]) {
    expect(mp3Seconds(bytes)).toBeUndefined();
  }
});

test('a picture is known by its signature', () => {
  expect(imageTypeOf(filled(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))).toBe('image/png');
  expect(imageTypeOf(filled(0xff, 0xd8, 0xff, 0xe0))).toBe('image/jpeg');
  expect(imageTypeOf(filled(0x47, 0x49, 0x46))).toBeUndefined();
  expect(imageTypeOf(Uint8Array.of(0xff, 0xd8, 0xff))).toBeUndefined();
});
