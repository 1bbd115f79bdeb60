// How a narration is cut into requests.
import { expect, test } from '@jest/globals';
import { hasForbiddenCharacters } from '../../../shared/text.ts';
import { chunkText, surroundings } from '../../../workers/narration/chunks.ts';
import { randomText, seeded } from './random-text.ts';

const wordsOf = (part: string): string[] => part.split(/\s+/u).filter(Boolean);

test('for any text and limit the chunks joined are the text, none is too long, and no word that fits is cut', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const text = randomText(random, Math.floor(random() * 120));
    const limit = 10 + Math.floor(random() * 400);
    const chunks = chunkText(text, limit);
    expect(chunks.join('')).toBe(text);
    expect(chunks.every((chunk) => chunk.length <= limit)).toBe(true);
    const fitting = (words: readonly string[]): string[] => words.filter((word) => word.length <= limit);
    if (wordsOf(text).every((word) => word.length < limit))
      expect(fitting(chunks.flatMap(wordsOf))).toEqual(fitting(wordsOf(text)));
    expect(chunks.some(hasForbiddenCharacters)).toBe(false); // no half of a character
  }
});

test('paragraphs stay whole when they fit, and several share a chunk', () => {
  const pages = ['One is here.', 'Two is here.', 'Three is here.'];
  expect(chunkText(pages.join('\n\n'), 30)).toEqual(['One is here.\n\nTwo is here.\n\n', 'Three is here.']);
});

test('a long paragraph is cut at the ends of sentences, in any script', () => {
  expect(chunkText('The fox ran. The owl slept! Who sang?', 28)).toEqual([
    'The fox ran. The owl slept! ',
    'Who sang?',
  ]);
  expect(chunkText('狐が走った。梟は眠った。', 6, 'ja')).toEqual(['狐が走った。', '梟は眠った。']);
});

test('a story of fifty thousand characters is cut in a moment', () => {
  const text = 'The little lighthouse blinked at the sea. '.repeat(1_200);
  const start = performance.now();
  expect(chunkText(text, 3_000)).toHaveLength(17);
  expect(performance.now() - start).toBeLessThan(500);
});

test('a chunk knows the words around it and the first and last have one neighbour', () => {
  const chunks = ['The fox ran home. ', 'The owl slept. ', 'All was quiet.'];
  expect(surroundings(chunks, 0)).toEqual({ nextText: 'The owl slept.' });
  expect(surroundings(chunks, 1)).toEqual({ previousText: 'The fox ran home.', nextText: 'All was quiet.' });
  expect(surroundings(['only'], 0)).toEqual({});
});
