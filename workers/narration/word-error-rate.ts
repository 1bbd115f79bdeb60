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

/** Levenshtein over numbers. Equal ends are cut off first: most narrations are nearly right. */
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

/**
 * 32 rows of the table at a time, each a bit (Myers 1999, Hyyrö 2003): the longest Japanese story has a thousand million pairs of
 * words, which one by one take ten seconds.
 */
function middleDistance(left: readonly number[], right: readonly number[]): number {
  if (left.length === 0) return right.length;
  // By word, the rows of the block that have it.
  const rows = new Int32Array(left.concat(right).reduce((most, word) => Math.max(most, word), 0) + 1);
  // By column, what its number is more than that of the column before it, in the last row so far: -1, 0 or 1.
  const steps = new Int8Array(right.length).fill(1);
  for (let from = 0; from < left.length; from += 32) {
    const block = left.slice(from, from + 32);
    for (const [row, word] of block.entries()) rows[word] = (rows[word] ?? 0) | (1 << row);
    passBlock(steps, right, { rows, lastRow: block.length - 1 });
    for (const word of block) rows[word] = 0;
  }
  return steps.reduce((sum, step) => sum + step, left.length);
}

/** Takes `steps` from the row above a block to the block's last row. Names as in the papers. */
function passBlock(
  steps: Int8Array,
  right: readonly number[],
  { rows, lastRow }: { rows: Int32Array; lastRow: number },
): void {
  let pv = -1;
  let mv = 0;
  for (let column = 0; column < right.length; column += 1) {
    const step = steps[column] ?? 0;
    const less = step < 0 ? 1 : 0;
    const more = step > 0 ? 1 : 0;
    const matches = rows[right[column] ?? 0] ?? 0;
    const eq = matches | less;
    const xh = ((((eq & pv) + pv) | 0) ^ pv) | eq;
    const ph = mv | ~(xh | pv);
    const mh = pv & xh;
    steps[column] = ((ph >>> lastRow) & 1) - ((mh >>> lastRow) & 1);
    const shifted = (ph << 1) | more;
    const xv = matches | mv;
    pv = (mh << 1) | less | ~(xv | shifted);
    mv = shifted & xv;
  }
}
