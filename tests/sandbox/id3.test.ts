import { test, expect } from '@jest/globals';
import { readTag, writeTag } from '../../sandbox/id3.ts';

test('a text comes out of its tag as it went in, and no byte of the tag looks like audio', () => {
  const text = 'Zoë & the <moon> 🌙\n'.repeat(2_000);
  const tag = writeTag(text);
  expect(readTag(tag, 0)).toEqual({ length: tag.length, text });
  expect(tag.includes(0xff)).toBe(false);
});

test('a tag that somebody else wrote is passed over without a text, and half a tag is no tag', () => {
  const foreign = Buffer.from(
    'ID3\x04\x00\x00\x00\x00\x00\x0fTIT2\x00\x00\x00\x05\x00\x00\x03Moon',
    'latin1',
  );
  expect(readTag(foreign, 0)).toEqual({ length: 25, text: undefined });
  expect(readTag(writeTag('moon').subarray(0, 20), 0)).toBeUndefined();
  expect(readTag(Buffer.from('not a tag at all'), 0)).toBeUndefined();
});
