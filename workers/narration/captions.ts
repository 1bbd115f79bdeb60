// WebVTT captions from the times of single characters. Pure.
// Promises: cues in order, never overlapping, none empty, none after the audio's end, each at most 7 s and two lines of
// 42 characters; the text is escaped, so a story can hold `<`, `&` and `-->`.
import type { Alignment } from '../../providers/ports.ts';

/** One chunk of speech and where it begins in the joined audio. */
export interface TimedSpeech {
  alignment: Alignment;
  startSeconds: number;
}

interface Word {
  text: string;
  startMs: number;
  endMs: number;
  /** A paragraph or a chunk ends here. */
  last: boolean;
}

export interface Cue {
  startMs: number;
  endMs: number;
  /** One or two, not escaped. */
  lines: readonly string[];
}

const maxCueMs = 7_000;
const maxLine = 42;
/** A sentence's end closes a cue only when the cue is long enough to be read. */
const goodLength = 30;

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
  let open: Word | undefined;
  for (const [index, character] of alignment.characters.entries()) {
    const startMs = offsetMs + (alignment.startSeconds[index] ?? 0) * 1_000;
    const endMs = offsetMs + (alignment.endSeconds[index] ?? 0) * 1_000;
    if (/^[\s\p{Cc}]*$/u.test(character)) {
      const before = words.at(-1);
      if (before !== undefined && character.includes('\n')) before.last = true;
      open = undefined;
    } else if (open === undefined || open.text.length + character.length > maxLine) {
      // A word longer than a line (or a language without spaces) goes on as the next word.
      open = { text: character, startMs, endMs, last: false };
      words.push(open);
    } else {
      open.text += character;
      open.endMs = endMs;
    }
  }
  const end = words.at(-1);
  if (end !== undefined) end.last = true;
  return words;
}

function fits(open: readonly Word[], word: Word): boolean {
  const first = open[0];
  if (first === undefined) return true;
  return word.endMs - first.startMs <= maxCueMs && wrap([...open, word]).length <= 2;
}

function closes(open: readonly Word[], word: Word): boolean {
  const length = open.reduce((sum, { text }) => sum + text.length + 1, 0);
  return word.last || (length >= goodLength && /[.!?…。！？]["'”’»)\]]*$/u.test(word.text));
}

function wrap(words: readonly Word[]): string[] {
  const lines: string[] = [];
  for (const { text } of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + text.length <= maxLine)
      lines[lines.length - 1] = `${line} ${text}`;
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
