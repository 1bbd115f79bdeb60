// How much of a text an independent ear did not hear: the word error rate. Pure.
import { distance } from 'fastest-levenshtein';

/** Above this a narration is flagged for a person to listen to. */
export const flagAbove = 0.2;

// The library compares characters, so every word of the text is written as one; those nobody expected are all alike. More
// different words than there are characters is more than any text of ours has.
const unexpected = '\uFFFF';
const lastLetter = 0xff_fe;

/**
 * Words that were left out, added or changed, as a share of the words of `reference`: 0 is perfect, and a long wrong
 * `heard` can give more than 1, at most 2. Case, punctuation and the shape of letters do not count. Nothing heard is 1.
 */
export function wordErrorRate(reference: string, heard: string, language = 'en'): number {
  const expected = wordsOf(reference, language);
  // What is longer is wrong however it goes on. Its end is left out: the time grows with the product of both.
  const got = wordsOf(heard.slice(0, 3 * reference.length + 1_000), language);
  if (expected.length === 0) return got.length === 0 ? 0 : 1;
  const letters = new Map<string, string>();
  for (const word of expected)
    if (!letters.has(word)) letters.set(word, String.fromCodePoint(Math.min(letters.size, lastLetter)));
  const spell = (words: readonly string[]): string =>
    words.map((word) => letters.get(word) ?? unexpected).join('');
  return distance(spell(expected), spell(got.slice(0, 2 * expected.length))) / expected.length;
}

/** Runs of letters, digits and marks; an apostrophe inside a word belongs to it. */
const run = /[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*/gu;
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Long runs are cut, a pair of surrogates never. */
const piece = /.{1,10000}/gsu;

/** Points and vowels of Hebrew and Arabic, and the stretched line: written for children, and in no transcript. */
const points =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]/g;

/** ICU finds the words where none are written; it sees short runs only, because its time grows with the square of a text. */
function wordsOf(text: string, language: string): string[] {
  const plain = text
    .normalize('NFKC')
    .replaceAll(points, '')
    .replaceAll(/[’‘ʼ]/g, "'")
    .toLocaleLowerCase(language);
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' });
  return (plain.match(run) ?? []).flatMap((word) =>
    unspaced.test(word)
      ? (word.match(piece) ?? []).flatMap((part) =>
          Array.from(segmenter.segment(part), ({ segment }) => segment),
        )
      : [word],
  );
}
