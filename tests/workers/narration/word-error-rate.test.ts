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
