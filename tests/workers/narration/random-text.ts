// Texts as a model might write them, drawn by a seed so that a failure can be repeated.

export type Random = () => number;

/** Numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const syllables = ['la', 'mo', 'ki', 'stern', 'é', 'ß', '海', '🦊', '-->', '<b>', '&', "n't", 'x'.repeat(50)];
const ends = [' ', ' ', ' ', ' ', ', ', '. ', '! ', '?” ', '\n', '\n\n', '\n \n'];

export function randomText(random: Random, words: number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  let text = '';
  for (let word = 0; word < words; word += 1) {
    const length = 1 + Math.floor(random() * 3);
    for (let part = 0; part < length; part += 1) text += pick(syllables);
    text += pick(ends);
  }
  return text;
}
