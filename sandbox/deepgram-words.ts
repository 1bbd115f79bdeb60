// What the Deepgram stand-in hears: the words whose sound is really in the bytes, with times taken from the frames.
// Nothing is heard without frames: a cut, lost or swapped piece of a narration changes the transcript, as it would at the vendor.
import { frameSeconds, wordEndFrame, wordsOf, wordStartFrame } from './mp3-speak.ts';
import type { Mp3, Segment } from './mp3.ts';

export interface HeardWord {
  word: string;
  start: number;
  end: number;
  confidence: number;
  punctuated_word?: string;
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Deterministic, between 0.95 and 0.999. */
function confidenceOf(word: string): number {
  const sum = Array.from(word).reduce(
    (total, letter) => (total * 31 + (letter.codePointAt(0) ?? 0)) % 997,
    7,
  );
  return Math.round((0.95 + (0.049 * sum) / 997) * 1e6) / 1e6;
}

/** Lower case, without the punctuation around it; empty for a lone dash, which nobody can hear. */
function plain(token: string): string {
  return token.toLowerCase().replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}

function hear(segment: Segment): HeardWord[] {
  return wordsOf(segment.text ?? '').flatMap((token, index) => {
    const word = plain(token);
    if (word === '' || segment.frames < wordEndFrame(index)) return [];
    return [
      {
        word,
        start: round(segment.startSeconds + wordStartFrame(index) * frameSeconds),
        end: round(segment.startSeconds + wordEndFrame(index) * frameSeconds),
        confidence: confidenceOf(word),
        punctuated_word: token,
      },
    ];
  });
}

/** All words in the order of the bytes. Empty for audio that this sandbox did not speak. */
export function hearWords(mp3: Mp3): HeardWord[] {
  return mp3.segments.flatMap(hear);
}

/** Runs of words, cut after a sentence or at a pause longer than `pauseSeconds`. */
export function splitUtterances(words: readonly HeardWord[], pauseSeconds: number): HeardWord[][] {
  const runs: HeardWord[][] = [];
  let last: HeardWord | undefined;
  for (const word of words) {
    const pause = last === undefined || word.start - last.end > pauseSeconds;
    const sentence = last !== undefined && /[.!?…]["”’)]*$/u.test(last.punctuated_word ?? '');
    if (pause || sentence) runs.push([]);
    runs.at(-1)?.push(word);
    last = word;
  }
  return runs;
}
