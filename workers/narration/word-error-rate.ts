// How much of a text an independent ear did not hear: the word error rate. Pure.

/** Above this a narration is flagged for a person to listen to. */
export const flagAbove = 0.2;

/**
 * Words that were left out, added or changed, as a share of the words of `reference`: 0 is perfect, and a long wrong
 * `heard` can give more than 1. Case, punctuation and the shape of letters do not count. Nothing heard is 1.
 */
export function wordErrorRate(reference: string, heard: string, language = 'en'): number {
  const expected = wordsOf(reference, language);
  const got = wordsOf(heard, language);
  if (expected.length === 0) return got.length === 0 ? 0 : 1;
  const numbers = new Map<string, number>();
  const numbered = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  };
  return distance(expected.map(numbered), got.map(numbered)) / expected.length;
}

/** ICU finds words in languages that write no spaces, too. */
function wordsOf(text: string, language: string): string[] {
  const plain = text.normalize('NFKC').replaceAll(/[’‘ʼ]/g, "'").toLocaleLowerCase(language);
  const segments = new Intl.Segmenter(language, { granularity: 'word' }).segment(plain);
  return Array.from(segments)
    .filter(({ isWordLike }) => isWordLike === true)
    .map(({ segment }) => segment);
}

/** Levenshtein over numbers, two rows at a time. Equal ends are cut off first: most narrations are nearly right. */
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
  let above = Uint32Array.from({ length: right.length + 1 }, (_, index) => index);
  let row = new Uint32Array(right.length + 1);
  for (const [index, word] of left.entries()) {
    row[0] = index + 1;
    for (let column = 1; column <= right.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (right[column - 1] === word ? 0 : 1);
      row[column] = Math.min(changed, (above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1);
    }
    [above, row] = [row, above];
  }
  return above[right.length] ?? 0;
}
