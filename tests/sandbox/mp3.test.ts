import { test, expect } from '@jest/globals';
import { readTag } from '../../sandbox/id3.ts';
import { align, speak, wordsOf } from '../../sandbox/mp3-speak.ts';
import { readMp3 } from '../../sandbox/mp3.ts';

const speaker = { kbps: 64, pitchHz: 200 } as const;
const story = 'Once upon a time, a small boat sailed to the moon. "Why?" asked Zoë. Nobody knew! '.repeat(19);

test('speech lasts a second for every two and a half words, within two percent, counted in frames', () => {
  for (const text of [story, 'two words', 'one two three', 'a b c d e f g h']) {
    const mp3 = readMp3(speak(text, speaker));
    const wanted = wordsOf(text).length / 2.5;
    expect(mp3?.seconds).toBeGreaterThan(wanted * 0.98);
    expect(mp3?.seconds).toBeLessThan(wanted * 1.02);
    expect(mp3?.first).toMatchObject({ sampleRateHz: 44_100, channels: 1, kbps: 64 });
  }
});

test('once its sounds are made, three hundred words take less than 200 ms, and the same bytes come twice', () => {
  expect(wordsOf(story).length).toBeGreaterThan(300);
  const first = speak(story, speaker);
  const before = process.cpuUsage();
  const second = speak(story, speaker);
  expect(process.cpuUsage(before).user / 1e3).toBeLessThan(200);
  expect(second.equals(first)).toBe(true);
});

test('every voiced frame carries sound and the gap between words does not', () => {
  const spoken = speak('moon moon moon', speaker);
  const frames = spoken.subarray(readTag(spoken, 0)?.length);
  const zeros = (from: number): number =>
    frames.subarray(from * 209, from * 209 + 209).filter((byte) => byte === 0).length;
  expect(zeros(2)).toBeLessThan(40);
  expect(zeros(14)).toBeGreaterThan(100);
});

test('characters are timed by the frames of their word, in order, and end with the sound', () => {
  const {
    characters,
    character_start_times_seconds: starts,
    character_end_times_seconds: ends,
  } = align('Hi you 👋 there.');
  expect(characters.join('')).toBe('Hi you 👋 there.');
  expect(characters).toContain('👋');
  expect(starts.every((start, index) => start < (ends[index] ?? 0))).toBe(true);
  expect(ends.slice(0, -1)).toEqual(starts.slice(1));
  expect(ends.at(-1)).toBeLessThanOrEqual(readMp3(speak('Hi you 👋 there.', speaker))?.seconds ?? 0);
});

test('a stream of several narrations is read as their segments, each with its own text, start and frames', () => {
  const [a, b] = [speak('one two three', speaker), speak('four five', { ...speaker, kbps: 128 })];
  const mp3 = readMp3(Buffer.concat([a, b]));
  expect(mp3?.segments.map(({ text, frames }) => [text, frames])).toEqual([
    ['one two three', 46],
    ['four five', 31],
  ]);
  expect(mp3?.segments[1]?.startSeconds).toBeCloseTo((46 * 1152) / 44_100, 6);
});

test('a frame that was cut does not count, neither at the end nor before the next narration', () => {
  const [a, b] = [speak('one two three', speaker), speak('four five', speaker)];
  const cut = Buffer.concat([a.subarray(0, -100), b.subarray(0, -100)]);
  expect(readMp3(cut)?.segments.map(({ frames }) => frames)).toEqual([45, 30]);
});

test('bytes that are not an MP3 are not read as one', () => {
  const noise = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 251));
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), noise, Buffer.alloc(4_000, 0xff)]) {
    expect(readMp3(bytes)).toBeUndefined();
  }
});
