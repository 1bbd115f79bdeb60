// What a person reads of the parts' logs.
// Covers: cli/terminal.ts
import { expect, test } from '@jest/globals';
import { painter, plain } from '../../cli/terminal.ts';
import { lineReader } from '../../cli/up-lines.ts';

const paint = (_style: unknown, text: string): string => text;
const at = new Date(2026, 10, 21, 12, 3, 4).toISOString();
const shown = (line: object): string | undefined =>
  lineReader('work', paint)(JSON.stringify({ level: 'info', time: at, message: 'm', ...line }));

test('attempts, warnings and errors are one short line each; the rest stays in the file', () => {
  const attempt = { kind: 'generate-story', outcome: 'succeeded', attempt: 1, durationMs: 2_100 };
  expect(shown(attempt)).toBe('12:03:04 work       ✓ generate-story succeeded (attempt 1, 2.1 s)');
  expect(shown({ ...attempt, outcome: 'failed', code: 'unavailable', retryInMs: 4_200 })).toBe(
    '12:03:04 work       ! generate-story failed (attempt 1, 2.1 s, unavailable, again in 5 s)',
  );
  expect(shown({ level: 'warn', message: 'engine redis is away', error: 'refused' })).toBe(
    '12:03:04 work       ! engine redis is away: refused',
  );
  expect(shown({ level: 'error', message: 'a fault of ours' })).toBe('12:03:04 work       ✗ a fault of ours');
  expect(shown({})).toBeUndefined();
  expect(shown({ level: 'warn', model: 'raw', message: 'slow query' })).toBeUndefined();
});

test('a warning that repeats is shown once, until something else was', () => {
  const read = lineReader('api', paint);
  const say = (message: string, time: string) => read(JSON.stringify({ level: 'warn', time, message }));
  const later = new Date(2026, 10, 21, 12, 3, 9).toISOString();
  const shownAll = [say('away', at), say('away', later), say('back', later), say('away', later)];
  expect(shownAll.map((line) => line !== undefined)).toEqual([true, false, true, true]);
});

test('what is no log line is shown as it is, and nothing can drive the terminal', () => {
  expect(lineReader('api', paint)('FATAL \u001B[2Jout of memory')).toBe(
    'api        FATAL \uFFFD[2Jout of memory',
  );
  expect(lineReader('api', paint)('   ')).toBeUndefined();
  expect(shown({ level: 'error', message: 'evil\u001B[31m\u009B' })).not.toMatch(/[\u001B\u009B]/);
  expect(plain('a\tb\nc')).toBe('a\tb\nc');
});

const silent = (): undefined => undefined;

function coloured(env: Record<string, string>, isInteractive: boolean, declined = false): boolean {
  const terminal = { out: silent, err: silent, env, isInteractive, readInput: silent };
  return painter(terminal, declined)('red', 'x') !== 'x';
}

test('colour is for a person who reads and has not declined it', () => {
  expect([coloured({}, true), coloured({}, false)]).toEqual([true, false]);
  const declined = [
    coloured({ NO_COLOR: '1' }, true),
    coloured({ TERM: 'dumb' }, true),
    coloured({}, true, true),
  ];
  expect(declined).toEqual([false, false, false]);
  expect([coloured({ FORCE_COLOR: '1' }, false), coloured({ FORCE_COLOR: '0' }, false)]).toEqual([
    true,
    false,
  ]);
});
