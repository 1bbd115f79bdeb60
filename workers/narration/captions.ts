// WebVTT captions from the times of single characters. Pure.
// Promises: cues in order, never overlapping, none empty, none after the audio's end, each at most 7 s and two lines of
// 42 characters; the text is escaped, so a story can hold `<`, `&` and `-->`. Languages without spaces are cut behind their
// sentences and clauses, and between words before a run of speech is longer than a line or a cue.
import type { Alignment } from '../../providers/ports.ts';
import { maxCueMs, maxLine, piecesOf, trailing, type Timed } from './pieces.ts';

/** One chunk of speech and where it begins in the joined audio. */
export interface TimedSpeech {
  alignment: Alignment;
  startSeconds: number;
}

interface Word extends Timed {
  /** It goes on from the word before, without a space. */
  joined: boolean;
  /** A paragraph or a chunk ends here. */
  last: boolean;
}

export interface Cue {
  startMs: number;
  endMs: number;
  /** One or two, not escaped. */
  lines: readonly string[];
}

/** A sentence's end closes a cue only when the cue is long enough to be read. */
const goodLength = 30;
/** A character of these takes about as long as two others, to speak and to read. */
const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;
/** Where a text without spaces may be cut: behind a sentence or a clause and the quotes that close it. */
const breakable = /[。！？；…，、]["'\p{Pe}\p{Pf}]*$/u;

/** A whole WebVTT file. */
export function captions(speeches: readonly TimedSpeech[], durationSeconds: number): string {
  const cues = cuesOf(speeches, durationSeconds).map(
    ({ startMs, endMs, lines }) =>
      `${stamp(startMs)} --> ${stamp(endMs)}\n${lines.map(escapeCue).join('\n')}\n`,
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

export function cuesOf(speeches: readonly TimedSpeech[], durationSeconds: number): Cue[] {
  const cues: Word[][] = [];
  let open: Word[] = [];
  for (const word of speeches.flatMap(wordsOf)) {
    if (!fits(open, word)) {
      cues.push(open);
      open = [];
    }
    open.push(word);
    if (closes(open, word)) {
      cues.push(open);
      open = [];
    }
  }
  const filled = [...cues, open].filter((words) => words.length > 0);
  return inOrder(filled.map(toCue), Math.floor(durationSeconds * 1_000));
}

function wordsOf({ alignment, startSeconds }: TimedSpeech): Word[] {
  const offsetMs = startSeconds * 1_000;
  const words: Word[] = [];
  let run: Timed[] = [];
  for (const [index, text] of alignment.characters.entries()) {
    const startMs = offsetMs + (alignment.startSeconds[index] ?? 0) * 1_000;
    const endMs = offsetMs + (alignment.endSeconds[index] ?? 0) * 1_000;
    if (/^[\s\p{Cc}]*$/u.test(text)) {
      words.push(...wordsOfRun(run));
      run = [];
      const before = words.at(-1);
      if (before !== undefined && text.includes('\n')) before.last = true;
    } else run.push({ text, startMs, endMs });
  }
  words.push(...wordsOfRun(run));
  const end = words.at(-1);
  if (end !== undefined) end.last = true;
  return words;
}

/** A run longer than a line or a cue (in a language without spaces: a sentence or a clause) goes on as the next word. */
function wordsOfRun(run: readonly Timed[]): Word[] {
  const words: Word[] = [];
  for (const piece of piecesOf(run, ['word', 'grapheme'])) {
    const open = words.at(-1);
    if (open !== undefined && goesOn(open, piece)) {
      open.text += piece.text;
      open.endMs = piece.endMs;
    } else words.push({ ...piece, joined: open !== undefined, last: false });
  }
  return words;
}

function goesOn(word: Word, piece: Timed): boolean {
  if (word.text.length + piece.text.length > maxLine) return false;
  if (trailing.test(piece.text)) return true;
  return !breakable.test(word.text) && piece.endMs - word.startMs <= maxCueMs;
}

function fits(open: readonly Word[], word: Word): boolean {
  const first = open[0];
  if (first === undefined) return true;
  return word.endMs - first.startMs <= maxCueMs && wrap([...open, word]).length <= 2;
}

function closes(open: readonly Word[], word: Word): boolean {
  const length = open.reduce((sum, { text }) => sum + text.replaceAll(wide, '$&$&').length + 1, 0);
  return word.last || (length >= goodLength && /[.!?…。！？]["'\p{Pe}\p{Pf}]*$/u.test(word.text));
}

function wrap(words: readonly Word[]): string[] {
  const lines: string[] = [];
  for (const { text, joined } of words) {
    const line = lines.at(-1);
    const longer = `${line}${joined ? '' : ' '}${text}`;
    if (line !== undefined && longer.length <= maxLine) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}

function toCue(words: readonly Word[]): Cue {
  const startMs = Math.round(words[0]?.startMs ?? 0);
  return { startMs, endMs: Math.round(words.at(-1)?.endMs ?? startMs), lines: wrap(words) };
}

/** Times as they must be, whatever the vendor's are: each cue starts at or after the last one's end and lasts 1 ms or more. */
function inOrder(cues: readonly Cue[], durationMs: number): Cue[] {
  let free = 0;
  return cues.map(({ startMs: start, endMs: end, lines }, index) => {
    const after = cues.length - 1 - index; // milliseconds that the later cues need at least
    const startMs = Math.max(free, Math.min(start, durationMs - after - 1));
    const latest = Math.min(startMs + maxCueMs, durationMs - after);
    const endMs = Math.max(startMs + 1, Math.min(end, latest));
    free = endMs;
    return { startMs, endMs, lines };
  });
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}

function stamp(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const clock = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    pad(part, 2),
  );
  return `${clock.join(':')}.${pad(ms % 1_000, 3)}`;
}

function escapeCue(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
