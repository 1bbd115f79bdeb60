// WebVTT captions from character timings.
import { expect, test } from '@jest/globals';
import { captions, cuesOf, type TimedSpeech } from '../../../workers/narration/captions.ts';
import { randomText, seeded, type Random } from './random-text.ts';

/** A speech whose characters take `each` seconds. */
function speech(text: string, startSeconds = 0, each = 0.05): TimedSpeech {
  const characters = Array.from(text);
  const startTimes = characters.map((_, index) => index * each);
  const endTimes = characters.map((_, index) => (index + 1) * each);
  return { startSeconds, alignment: { characters, startSeconds: startTimes, endSeconds: endTimes } };
}

/** Times as a vendor should never send them: jumping, too late, all the same. */
function brokenSpeech(random: Random, text: string): TimedSpeech {
  const { alignment } = speech(text);
  const scale = [0, 1, 10][Math.floor(random() * 3)] ?? 0;
  const jump = (times: readonly number[]): number[] => times.map((time) => time * scale * random());
  return {
    startSeconds: 0,
    alignment: {
      ...alignment,
      startSeconds: jump(alignment.startSeconds),
      endSeconds: jump(alignment.endSeconds),
    },
  };
}

function expectReadable(speeches: readonly TimedSpeech[], durationSeconds: number): void {
  const cues = cuesOf(speeches, durationSeconds);
  let before = 0;
  for (const { startMs, endMs, lines } of cues) {
    expect(startMs).toBeGreaterThanOrEqual(before);
    expect(endMs).toBeGreaterThan(startMs);
    expect(endMs - startMs).toBeLessThanOrEqual(7_000);
    expect(lines.length).toBeLessThanOrEqual(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
    before = endMs;
  }
  expect(before).toBeLessThanOrEqual(durationSeconds * 1_000);
  const shown = cues
    .flatMap(({ lines }) => lines)
    .join('')
    .replaceAll(/\s/gu, '');
  const spoken = speeches
    .flatMap(({ alignment }) => alignment.characters)
    .join('')
    .replaceAll(/\s/gu, '');
  expect(shown).toBe(spoken);
}

test('for any text cues are in order, short, within the audio, and hold every character', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = seeded(seed);
    const first = randomText(random, 40);
    const second = randomText(random, 40);
    const each = 0.01 + random() * 0.2;
    const middle = Array.from(first).length * each;
    const end = middle + Array.from(second).length * each;
    expectReadable([speech(first, 0, each), speech(second, middle, each)], end);
  }
});

test('even broken times give cues in order within the audio', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = seeded(seed);
    expectReadable([brokenSpeech(random, randomText(random, 60))], 20);
  }
});

test('captions are a WebVTT file whose last cue ends with the speech', () => {
  const text = 'Ada found a fox. The fox was small and shy, but it knew the way home.';
  const file = captions([speech(text, 1.5, 0.1)], 10);
  expect(file).toBe(
    'WEBVTT\n\n00:00:01.500 --> 00:00:08.400\nAda found a fox. The fox was small and\nshy, but it knew the way home.\n',
  );
});

test('markup and arrows in a story are text in its captions', () => {
  const file = captions([speech('A <b>bold</b> fox --> R&D', 0, 0.1)], 10);
  expect(file).toContain('A &lt;b&gt;bold&lt;/b&gt; fox --&gt; R&amp;D');
  expect(file.match(/-->/g)).toHaveLength(1);
});

test('a story without words has captions without cues', () => {
  expect(captions([speech('  \n ')], 3)).toBe('WEBVTT\n');
});
