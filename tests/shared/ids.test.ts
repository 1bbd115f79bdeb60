import { expect, test } from '@jest/globals';
import { idOf, isId, newId } from '../../shared/ids.ts';

test('100,000 ids of one process are unique and in order, also within one millisecond', () => {
  const ids = Array.from({ length: 100_000 }, (_, index) =>
    newId(1_800_000_000_000 + Math.floor(index / 60_000)),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ''))).toBe(true);
  expect(ids.every(isId)).toBe(true);
});

test('an id says when it was made, as version 7 of RFC 9562', () => {
  const now = 4_000_000_000_000;
  const id = newId(now);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a clock that goes back makes no id that sorts before an earlier one', () => {
  const first = newId(5_000_000_000_000);
  expect(newId(4_999_999_999_000) > first).toBe(true);
});

test('a clock that was far ahead for a moment dates no later id ahead', () => {
  newId(5_000_300_000_000);
  const id = newId(5_000_000_000_000);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(5_000_000_000_000);
});

test('only ids are ids', () => {
  for (const text of ['', 'x', `${newId()} `, newId().slice(1), newId().replaceAll('-', ''), '../etc/passwd'])
    expect([text, isId(text)]).toEqual([text, false]);
});

test('an id of a name is always the same, and another name has another', () => {
  expect(idOf('a charge')).toBe(idOf('a charge'));
  expect(idOf('a charge')).not.toBe(idOf('a charge '));
  expect(isId(idOf('a charge'))).toBe(true);
});
