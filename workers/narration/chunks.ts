// A narration cut into requests: on paragraph borders where possible, then on sentences, then on words. Pure.
// Promises: the chunks joined are the text, each has at most `limit` characters, and no word is cut that fits one chunk.

type Split = (text: string, language: string) => string[];

const paragraphs: Split = (text) => text.match(/[\s\S]+?(?:\n\s*\n\s*|$)/gu) ?? [];
const sentences: Split = (text, language) =>
  Array.from(
    new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text),
    ({ segment }) => segment,
  );
/** White space stays with the word before it. */
const words: Split = (text) => text.match(/^\s+|\S+\s*/gu) ?? [];
const letters: Split = (text) => Array.from(text);
const finerAndFiner = [paragraphs, sentences, words, letters];

/** UTF-16 units are counted, so a vendor that counts code points never sees more than its limit. */
export function chunkText(text: string, limit: number, language = 'en'): string[] {
  return text === '' ? [] : cut(text, { limit, language }, 0);
}

function cut(text: string, how: { limit: number; language: string }, depth: number): string[] {
  const split = finerAndFiner[depth];
  if (text.length <= how.limit || split === undefined) return [text];
  const pieces = split(text, how.language).flatMap((piece) => cut(piece, how, depth + 1));
  return pack(pieces, how.limit);
}

/** As few chunks as an honest left-to-right filling gives. */
function pack(pieces: readonly string[], limit: number): string[] {
  const chunks: string[] = [];
  for (const piece of pieces) {
    const last = chunks.at(-1);
    if (last !== undefined && last.length + piece.length <= limit) chunks[chunks.length - 1] = last + piece;
    else chunks.push(piece);
  }
  return chunks;
}

/** The end of the text before a chunk and the start of the one after it: they keep the voice steady over the cut. */
export function surroundings(
  chunks: readonly string[],
  index: number,
): { previousText?: string; nextText?: string } {
  const before = chunks[index - 1]?.trim();
  const after = chunks[index + 1]?.trim();
  return {
    ...(before !== undefined && { previousText: lastWords(before) }),
    ...(after !== undefined && { nextText: firstWords(after) }),
  };
}

const contextLength = 300;

function lastWords(text: string): string {
  return text.length <= contextLength ? text : text.slice(-contextLength).replace(/^\S*\s+/u, '');
}

function firstWords(text: string): string {
  return text.length <= contextLength ? text : text.slice(0, contextLength).replace(/\s+\S*$/u, '');
}
