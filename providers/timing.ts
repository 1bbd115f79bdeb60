// Times for a speech that came without them: each character gets its share of the playing time, pauses included. Pure.
// Good enough for captions (a sentence is right to within a second); a vendor's own times are always better.
import type { Alignment } from './ports.ts';

/** How long a character is heard, or the pause after it lasts, beside that of a letter. */
function weightOf(character: string): number {
  if (/[.!?…。！？]/u.test(character)) return 6;
  if (/[,;:–—\n]/u.test(character)) return 3;
  return 1;
}

/** The times of `text` spread over `seconds`; they rise, and the last character ends with the sound. */
export function spreadTimes(text: string, seconds: number): Alignment {
  const characters = Array.from(text);
  const total = characters.reduce((sum, character) => sum + weightOf(character), 0);
  let spoken = 0;
  const endSeconds = characters.map((character) => {
    spoken += weightOf(character);
    return (seconds * spoken) / total;
  });
  return {
    characters,
    startSeconds: [0, ...endSeconds.slice(0, -1)].slice(0, characters.length),
    endSeconds,
  };
}
