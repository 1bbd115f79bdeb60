// Where a run of text without spaces may be cut at all: between its words, which ICU finds in languages that write none. Pure.

/** Milliseconds. */
export const maxCueMs = 7_000;
/** UTF-16 units. */
export const maxLine = 42;
/** What stays with the text before it. */
export const trailing = /^["'\p{Pe}\p{Pf}。！？；…，、]/u;

export interface Timed {
  text: string;
  startMs: number;
  endMs: number;
}

type Granularity = 'word' | 'grapheme';

const segmenters: Readonly<Record<Granularity, Intl.Segmenter>> = {
  word: new Intl.Segmenter(undefined, { granularity: 'word' }),
  grapheme: new Intl.Segmenter(undefined, { granularity: 'grapheme' }),
};

/** The pieces of a run of characters. One that is longer than a line or a cue is cut by the next of `by`, at last into characters. */
export function piecesOf(run: readonly Timed[], [by, ...finer]: readonly Granularity[]): Timed[] {
  if (by === undefined) return [...run];
  return segments(run, segmenters[by]).flatMap((characters) => {
    const piece = joined(characters);
    return isLong(piece) ? piecesOf(characters, finer) : [piece];
  });
}

function segments(run: readonly Timed[], segmenter: Intl.Segmenter): Timed[][] {
  const text = joined(run).text;
  const starts = new Set(Array.from(segmenter.segment(text), ({ index }) => index));
  const found: Timed[][] = [];
  let at = 0;
  for (const character of run) {
    const open = found.at(-1);
    if (open === undefined || (starts.has(at) && !trailing.test(character.text))) found.push([character]);
    else open.push(character);
    at += character.text.length;
  }
  return found;
}

function joined(characters: readonly Timed[]): Timed {
  const text = characters.map((character) => character.text).join('');
  return { text, startMs: characters[0]?.startMs ?? 0, endMs: characters.at(-1)?.endMs ?? 0 };
}

function isLong({ text, startMs, endMs }: Timed): boolean {
  return text.length > maxLine || endMs - startMs > maxCueMs;
}
