// WebVTT captions from character timings.
// Covers: workers/narration/pieces.ts
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

const unspaced = {
  zh: '艾达住在海边的一座灯塔里。她每天晚上都会点亮灯光！“今天有船来吗？”小狐狸问道。艾达摇摇头，望着远处黑色的大海，心里想着爷爷说过的那个关于星星和鲸鱼的很长很长的古老故事；然后她笑了……风停了。',
  ja: 'エイダは海のそばの灯台に住んでいました。「今日は船が来るかな？」と小さなきつねが聞きました。エイダは首を横に振って、遠くの暗い海を見つめながら、おじいさんが話してくれた星とくじらの長い長い昔話を思い出していました。それから、にっこり笑いました！',
  th: 'เอด้าอาศัยอยู่ในประภาคารริมทะเลกับสุนัขจิ้งจอกตัวน้อยที่ชอบฟังเรื่องเล่าเกี่ยวกับดวงดาวและปลาวาฬ ทุกคืนเธอจะจุดไฟให้เรือที่อยู่ไกลออกไปในทะเลมองเห็นทางกลับบ้าน',
};

test.each(Object.entries(unspaced))('a text in %s is shown whole, while it is spoken', (_language, text) => {
  for (const each of [0.08, 0.22, 0.35]) {
    const { alignment } = speech(text, 0, each);
    const durationSeconds = alignment.characters.length * each;
    expectReadable([speech(text, 0, each)], durationSeconds);
    // Spaces are not shown, and the pause of a full stop may be longer than its cue.
    const places = alignment.characters.flatMap((character, place) => (/\s/u.test(character) ? [] : [place]));
    for (const { startMs, endMs, lines } of cuesOf([speech(text, 0, each)], durationSeconds)) {
      const own = places.splice(0, Array.from(lines.join('').replaceAll(' ', '')).length);
      const last = own.findLast((place) => /[^\p{P}]/u.test(alignment.characters[place] ?? ''));
      expect(startMs).toBe(Math.round((own[0] ?? 0) * each * 1_000));
      expect(endMs).toBeGreaterThanOrEqual(Math.floor(((last ?? 0) + 1) * each * 1_000));
    }
    expect(places).toEqual([]);
  }
});

test('cues of a language without spaces end with a sentence or a clause, and gain no spaces', () => {
  for (const text of [unspaced.zh, unspaced.ja]) {
    const cues = cuesOf([speech(text, 0, 0.15)], Array.from(text).length * 0.15);
    expect(cues.length).toBeGreaterThan(2);
    for (const { lines } of cues) {
      expect(lines.join('')).toMatch(/[。！？；…，、][”」]?$/u);
      expect(lines.join('')).not.toMatch(/^[。！？；…，、”」]|\s/u);
    }
  }
});

/** Where the text of the lines is parted, in UTF-16 units of the text without its spaces. */
function cuts(text: string): number[] {
  const lines = cuesOf([speech(text, 0, 0.05)], text.length * 0.05).flatMap((cue) => cue.lines);
  let at = 0;
  return lines.map((line) => (at += line.replaceAll(' ', '').length)).slice(0, -1);
}

test('a run without spaces is cut between words, and what is one letter to the eye never', () => {
  const run = unspaced.th.replaceAll(' ', '');
  const words = new Intl.Segmenter('th', { granularity: 'word' });
  const between = new Set(Array.from(words.segment(run), ({ index }) => index));
  expect(cuts(run).length).toBeGreaterThan(2);
  for (const cut of cuts(run)) expect(between).toContain(cut);

  expect(cuts(`${'ก'.repeat(41)}น้ำ`)[0]).toBeLessThan(42); // the mark after น is the 43rd
  const family = '👩‍👩‍👧‍👦';
  expect(cuts(family.repeat(8))).toEqual([family.length * 3, family.length * 6]);
  expect(cuts(`${'海'.repeat(42)}、${'山'.repeat(20)}`).every((cut) => cut < 42)).toBe(true);
});

test('short sentences share a cue and are parted between cues, not inside them', () => {
  const text = '天黑了。艾达点亮了灯。小船看见了灯光。它慢慢地回家了。大家都很高兴。';
  const cues = cuesOf([speech(text, 0, 0.25)], Array.from(text).length * 0.25);
  expect(cues.map(({ lines }) => lines)).toEqual([
    ['天黑了。艾达点亮了灯。小船看见了灯光。'],
    ['它慢慢地回家了。大家都很高兴。'],
  ]);
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
