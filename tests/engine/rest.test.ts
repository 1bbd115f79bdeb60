import { expect, test } from '@jest/globals';
import type { Emit } from '../../shared/events.ts';
import { Rest } from '../../engine/rest.ts';

interface Rig {
  rest: Rest;
  told: string[];
  asked: () => number;
}

/** An engine that answers after so many questions. */
function open(refusals: number): Rig {
  const told: string[] = [];
  let asked = 0;
  const emit: Emit = (_, event) => void ('message' in event && told.push(event.message));
  const ping = async (): Promise<void> => {
    asked += 1;
    if (asked <= refusals) throw new Error('no');
    return Promise.resolve();
  };
  return { rest: new Rest({ link: { ping }, queue: 'play', emit }), told, asked: () => asked };
}

const storm = (rest: Rest): boolean[] => Array.from({ length: 26 }, () => rest.isDue('not now'));

test('a worker that meets a few errors goes on; one that meets a storm rests, and it is told once', () => {
  const { rest, told } = open(0);
  const due = storm(rest);
  expect([due.indexOf(true), told]).toEqual([25, ['the engine gives no job of play: not now']]);
});

test('a rest lasts until the engine answers, and the next storm soon after it is not told again', async () => {
  const { rest, told, asked } = open(1);
  storm(rest);
  await new Promise<void>((resolve) => rest.begin(resolve));
  expect([asked(), rest.now]).toEqual([2, false]);
  expect(storm(rest).at(-1)).toBe(true);
  expect(told).toHaveLength(1);
});

test('a rest that is ended calls nobody', async () => {
  const { rest, asked } = open(0);
  rest.begin(() => {
    throw new Error('called all the same');
  });
  expect(rest.now).toBe(true);
  rest.end();
  await new Promise<void>((resolve) => rest.begin(resolve)); // a later one takes at least as long
  expect([asked(), rest.now]).toEqual([1, false]);
});
