// The word error rate of a narration.
import { expect, test } from '@jest/globals';
import { flagAbove, wordErrorRate } from '../../../workers/narration/word-error-rate.ts';
import { randomText, seeded } from './random-text.ts';

test('a text heard as it is has no errors, whatever its case, punctuation and apostrophes', () => {
  expect(wordErrorRate('“Don’t!” said Ada, the FOX.', "don't said ada the fox")).toBe(0);
  expect(wordErrorRate('Straße und CAFÉ', 'straße und cafe\u0301', 'de')).toBe(0);
  for (let seed = 1; seed <= 50; seed += 1) {
    const text = randomText(seeded(seed), 60);
    expect(wordErrorRate(text, text)).toBe(0);
  }
});

test('points and vowels that only children need are not missed in a transcript, those of other scripts are', () => {
  expect(wordErrorRate('مَرْحَبًا يا آدَم', 'مرحبا يا آدم', 'ar')).toBe(0);
  expect(wordErrorRate('שָׁלוֹם יֶלֶד', 'שלום ילד', 'he')).toBe(0);
  expect(wordErrorRate('हिंदी', 'हद', 'hi')).toBe(1);
});

test('left out, added and changed words count one each', () => {
  expect(wordErrorRate('one two three four', 'one three four')).toBe(0.25);
  expect(wordErrorRate('one two three four', 'one two two three four')).toBe(0.25);
  expect(wordErrorRate('one two three four', 'one too three for')).toBe(0.5);
});

test('silence is wrong in every word and flagged', () => {
  expect(wordErrorRate('one two three', '')).toBe(1);
  expect(wordErrorRate('one two three', '')).toBeGreaterThan(flagAbove);
  expect(wordErrorRate('', '')).toBe(0);
  expect(wordErrorRate('', 'noise')).toBe(1);
});

test('languages without spaces are compared by word', () => {
  expect(wordErrorRate('狐が走った。', '狐が走った', 'ja')).toBe(0);
  const rate = wordErrorRate('小さな狐が森を走った。', '小さな犬が森を走った', 'ja');
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThan(0.5);
});

test('the longest narration is compared in well under a second', () => {
  const words = Array.from({ length: 9_000 }, (_, index) => `word${index % 997}`);
  const start = performance.now();
  expect(
    wordErrorRate(words.join(' '), words.map((word, index) => (index % 9 === 0 ? 'x' : word)).join(' ')),
  ).toBeCloseTo(1 / 9, 3);
  expect(performance.now() - start).toBeLessThan(2_000);
});

test('however much was heard, it is told from the text in seconds', () => {
  const start = performance.now();
  const words = Array.from({ length: 2_000 }, (_, index) => `word${index}`).join(' ');
  expect(wordErrorRate(words, 'a '.repeat(4_000_000))).toBeGreaterThan(flagAbove);
  expect(wordErrorRate('む', 'む'.repeat(1_000_000), 'ja')).toBeGreaterThan(flagAbove);
  expect(wordErrorRate(words, `${words} ${'and '.repeat(2_000)}`)).toBe(1);
  expect(performance.now() - start).toBeLessThan(20_000);
});

test('a long run without a space is compared in seconds', () => {
  const start = performance.now();
  const run = '狐が走った'.repeat(20_000);
  expect(wordErrorRate(run, run, 'ja')).toBe(0);
  expect(performance.now() - start).toBeLessThan(20_000);
});

/** The distance by its definition. */
function distanceOf(left: readonly string[], right: readonly string[]): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const word of left) {
    const next = [(row[0] ?? 0) + 1];
    for (const [index, other] of right.entries()) {
      const changed = (row[index] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(changed, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

test('the rate is the distance by its definition, whatever was heard', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const words = (most: number) =>
      Array.from({ length: 1 + Math.floor(random() * most) }, () => `w${Math.floor(random() * 6)}`);
    const said = words(150);
    const heard = said.flatMap((word) => (random() < 0.8 ? [word] : words(3))).slice(0, 2 * said.length);
    for (const other of [heard, words(2 * said.length)])
      expect(wordErrorRate(said.join(' '), other.join(' '))).toBe(distanceOf(said, other) / said.length);
  }
});

test('a text of very many words is compared in seconds', () => {
  const start = performance.now();
  expect(wordErrorRate('a '.repeat(60_000), 'b '.repeat(120_000))).toBe(2);
  expect(performance.now() - start).toBeLessThan(20_000);
});
