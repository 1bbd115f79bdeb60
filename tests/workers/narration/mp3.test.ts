// MP3 files read by their frames and laid end to end.
import { expect, test } from '@jest/globals';
import { joinMp3, readMp3 } from '../../../workers/narration/mp3.ts';

/** Frames of MPEG-1 layer III, 44.1 kHz, 128 kbit/s: 417 bytes, 1152 samples. */
function frames(count: number, mark = ''): Uint8Array {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0x64]);
  const first = Buffer.from(frame);
  first.write(mark, 36, 'latin1');
  return new Uint8Array(Buffer.concat([first, ...Array.from({ length: count - 1 }, () => frame)]));
}

const frameSeconds = 1_152 / 44_100;

function read(bytes: Uint8Array) {
  const mp3 = readMp3(bytes);
  if (mp3 === undefined) throw new Error('expected an MP3');
  return mp3;
}

test('a file plays as long as its frames, tags not counted', () => {
  const tag = Buffer.concat([Buffer.from('ID3\u0004\0\0\0\0\u0001\0', 'latin1'), Buffer.alloc(128, 0xff)]);
  const end = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)]);
  expect(read(frames(10)).seconds).toBeCloseTo(10 * frameSeconds, 9);
  expect(read(Buffer.concat([tag, frames(10), end])).seconds).toBeCloseTo(10 * frameSeconds, 9);
});

test('the frame that announces a length is not part of what is joined', () => {
  const announced = read(frames(11, 'Info'));
  expect(announced.seconds).toBeCloseTo(10 * frameSeconds, 9);
  const joined = joinMp3([announced, read(frames(5, 'Xing')), read(frames(3))]);
  expect(joined.bytes).toHaveLength(417 * 17);
  expect(Buffer.from(joined.bytes).toString('latin1')).not.toMatch(/Info|Xing/);
  expect(read(joined.bytes).seconds).toBeCloseTo(joined.seconds, 9);
  expect(joined.startSeconds).toEqual([0, announced.seconds, announced.seconds + 4 * frameSeconds]);
});

test('a cut file, another file and an empty one are not MP3', () => {
  const whole = frames(4);
  for (const bytes of [
    whole.subarray(0, -1),
    Buffer.from('<html></html>'),
    new Uint8Array(0),
    frames(1, 'Info'),
  ])
    expect(readMp3(bytes)).toBeUndefined();
});

test('millions of tiny frames are counted in seconds', () => {
  const start = performance.now();
  const tiny = Buffer.from([0xff, 0xf3, 0x14, 0xc4, ...Array.from({ length: 20 }, () => 0)]); // 24 kHz, 8 kbit/s
  expect(read(Buffer.alloc(24 * 10_000_000, tiny)).seconds).toBeCloseTo(240_000, 1);
  expect(performance.now() - start).toBeLessThan(20_000);
});
