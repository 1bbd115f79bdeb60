// Text made fit for one line.
import { expect, test } from '@jest/globals';
import { oneLine } from '../../workers/one-line.ts';

test('line breaks, control characters and direction marks cannot stay in one line', () => {
  expect(oneLine('  The\r\nFox\t\u0000and\u2028the \u202Eowl\u2069 ')).toBe('The Fox and the owl');
});

test('letters of any script and emoji stay as they are', () => {
  for (const text of ['狐と梟', 'Ünïcödé', '👩‍🚀 rocket', 'שלום']) expect(oneLine(text)).toBe(text);
});
