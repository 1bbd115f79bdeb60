// How much of a text an independent ear did not hear: the word error rate. Pure.

/** Above this a narration is flagged for a person to listen to. */
export const flagAbove = 0.2;

/**
 * Words that were left out, added or changed, as a share of the words of `reference`: 0 is perfect, and a long wrong
 * `heard` can give more than 1, at most 2. Case, punctuation and the shape of letters do not count. Nothing heard is 1.
 */
export function wordErrorRate(reference: string, heard: string, language = 'en'): number {
  const expected = wordsOf(reference, language);
  // What is longer is wrong however it goes on. Its end is left out: the time grows with the product of both.
  const got = wordsOf(heard.slice(0, 3 * reference.length + 1_000), language);
  if (expected.length === 0) return got.length === 0 ? 0 : 1;
  const numbers = new Map<string, number>();
  const numbered = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  };
  const compared = got.slice(0, 2 * expected.length);
  return distance(expected.map(numbered), compared.map(numbered)) / expected.length;
}

/** Runs of letters, digits and marks; an apostrophe inside a word belongs to it. */
const run = /[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*/gu;
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Long runs are cut, a pair of surrogates never. */
const piece = /.{1,10000}/gsu;

/** ICU finds the words where none are written; it sees short runs only, because its time grows with the square of a text. */
function wordsOf(text: string, language: string): string[] {
  const plain = text.normalize('NFKC').replaceAll(/[’‘ʼ]/g, "'").toLocaleLowerCase(language);
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' });
  return (plain.match(run) ?? []).flatMap((word) =>
    unspaced.test(word)
      ? (word.match(piece) ?? []).flatMap((part) =>
          Array.from(segmenter.segment(part), ({ segment }) => segment),
        )
      : [word],
  );
}

/** Levenshtein over numbers, one row at a time. Equal ends are cut off first: most narrations are nearly right. */
function distance(left: readonly number[], right: readonly number[]): number {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(left.length, right.length) - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  )
    end += 1;
  return middleDistance(left.slice(start, left.length - end), right.slice(start, right.length - end));
}

function middleDistance(left: readonly number[], right: readonly number[]): number {
  const row = Uint32Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, word] of left.entries()) {
    let diagonal = index;
    let before = index + 1;
    row[0] = before;
    for (let column = 1; column <= right.length; column += 1) {
      const above = row[column] ?? 0;
      const changed = diagonal + (right[column - 1] === word ? 0 : 1);
      const shifted = (above < before ? above : before) + 1;
      // No call in here: it runs once for every pair of words, 80 million times for the longest story.
      before = changed < shifted ? changed : shifted;
      diagonal = above;
      row[column] = before;
    }
  }
  return row[right.length] ?? 0;
}
