// Which entry of ElevenLabs' history is the answer that was lost, what it is charged, and the times of a speech without any.
// Covers: providers/elevenlabs-history.ts, providers/elevenlabs-answer.ts, providers/timing.ts
import { expect, test } from '@jest/globals';
import { readSpeech, readTimes } from '../../providers/elevenlabs-answer.ts';
import { chargeOfEntry, findSpoken, lookFrom } from '../../providers/elevenlabs-history.ts';
import { spreadTimes } from '../../providers/timing.ts';

const request = { text: 'Hello.', voiceId: 'rachel', language: 'en' };
const entry = {
  historyItemId: 'h1',
  requestId: 'r1',
  voiceId: 'rachel',
  modelId: 'm',
  text: 'Hello.',
  characterCountChangeFrom: 10,
  characterCountChangeTo: 16,
  outputFormat: 'mp3_44100_128',
  state: 'created',
};

test('only the same text in the same voice, model and format is the answer', () => {
  expect(findSpoken([entry], request, 'm')).toBe(entry);
  const others = [
    { text: 'Hello' },
    { voiceId: 'sarah' },
    { modelId: 'n' },
    { outputFormat: 'pcm_16000' },
    { state: 'deleted' },
    { text: undefined },
  ].map((change) => ({ ...entry, ...change }));
  expect(findSpoken(others, request, 'm')).toBeUndefined();
  const sparse = { ...entry, voiceId: undefined, modelId: undefined, outputFormat: undefined };
  expect(findSpoken([...others, sparse], request, 'm')).toBe(sparse);
});

test('it is looked for from some minutes before the job was born, and charged under its own request', () => {
  expect(lookFrom(1_000_000_999)).toBe(1_000_000 - 300);
  expect(chargeOfEntry(entry, 'm')).toMatchObject({ requestId: 'r1', usage: [{ quantity: 6 }] });
  const odd = { ...entry, requestId: undefined, characterCountChangeTo: 0 };
  expect(chargeOfEntry(odd, 'm')).toMatchObject({ requestId: 'h1', usage: [{ quantity: 0 }] });
});

test('times that were not given rise to the end of the sound, with pauses after sentences', () => {
  const { characters, startSeconds, endSeconds } = spreadTimes('Hi. You.', 4);
  expect(characters.join('')).toBe('Hi. You.');
  expect([startSeconds[0], endSeconds.at(-1)]).toEqual([0, 4]);
  expect(endSeconds.every((end, index) => end > (startSeconds[index] ?? end))).toBe(true);
  expect((endSeconds[2] ?? 0) - (startSeconds[2] ?? 0)).toBeGreaterThan(1);
  expect(spreadTimes('', 4)).toEqual({ characters: [], startSeconds: [], endSeconds: [] });
});

test('an empty sound is no speech; times that do not fit each other are spread over a good one', () => {
  const times = { characters: ['a'], characterStartTimesSeconds: [0], characterEndTimesSeconds: [1, 2] };
  expect(readTimes(times, 'a', 9)).toEqual(spreadTimes('a', 9));
  expect(readSpeech({ audioBase64: '' }, 'a', 'm')).toBe('the audio is not a whole MP3');
});

/** A character of these words is heard for a tenth of a second. */
function timesOf(words: string) {
  const characters = Array.from(words);
  return {
    characters,
    characterStartTimesSeconds: characters.map((_, index) => index / 10),
    characterEndTimesSeconds: characters.map((_, index) => (index + 1) / 10),
  };
}

test('times that leave out a part of the text are not used: captions reach the end of the sound', () => {
  const text = 'Hi 2 you. Bye.';
  for (const given of [undefined, timesOf(''), timesOf('Hi 2 you.'), timesOf('Hi two you. Bye.')])
    expect(readTimes(given, text, 9)).toEqual(spreadTimes(text, 9));
  expect(readTimes(timesOf(text), text, 9)).toMatchObject({
    endSeconds: timesOf(text).characterEndTimesSeconds,
  });
  const spaced = timesOf(text.replaceAll(' ', '\n'));
  expect(readTimes(spaced, text, 9)).toMatchObject({ characters: spaced.characters });
  expect(readTimes(timesOf(text), text, 0.3)).toBe('the audio is shorter than its times');
});
