// Text from outside made fit for one line: a subject, a title. Pure.

/**
 * Control characters and line separators become spaces, invisible direction marks go (they can show a text backwards),
 * runs of white space become one space.
 */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
