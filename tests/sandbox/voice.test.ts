import { test, expect } from '@jest/globals';
import { vowelSound, vowels } from '../../sandbox/voice.ts';

test('every vowel is heard, differs from the others, and begins and ends in silence', () => {
  const sounds = vowels.map((vowel) => vowelSound(vowel, 200, 4 * 1152));
  for (const sound of sounds) {
    const peak = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(peak).toBeGreaterThan(3_000);
    expect(peak).toBeLessThan(20_000);
    expect([sound[0], ...sound.slice(-100)].every((value) => value === 0)).toBe(true);
  }
  expect(new Set(sounds.map((sound) => sound.join())).size).toBe(vowels.length);
});
