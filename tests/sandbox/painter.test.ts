import { test, expect } from '@jest/globals';
import sharp, { type Stats } from 'sharp';
import { drawSvg, paint } from '../../sandbox/painter.ts';

const size = { width: 1200, height: 896 };

test('a picture is a PNG of the size asked, always the same for its prompt and another one for another prompt', async () => {
  const [once, again, other] = await Promise.all([
    paint('a dragon by the sea', size),
    paint('a dragon by the sea', size),
    paint('a dragon by the sea, page two', size),
  ]);
  expect(await sharp(once).metadata()).toEqual(
    expect.objectContaining({ format: 'png', width: 1200, height: 896 }),
  );
  expect(once.equals(again)).toBe(true);
  expect(once.equals(other)).toBe(false);
});

const light = (stats: Stats): number => stats.channels.slice(0, 3).reduce((sum, { mean }) => sum + mean, 0);

test('a night is darker than a day, and both have many colours', async () => {
  const [night, day] = await Promise.all([
    sharp(await paint('a cat on a hill at night', size)).stats(),
    sharp(await paint('a cat on a hill at noon', size)).stats(),
  ]);
  expect(light(night)).toBeLessThan(light(day) / 1.5);
  expect(Math.min(night.entropy, day.entropy)).toBeGreaterThan(4);
});

test('what the words name is drawn: the same sheet has more on it with a castle, a boat and a fox', () => {
  const plain = drawSvg('a child on a hill', size).length;
  for (const word of [
    'castle',
    'boat',
    'fox',
    'owl',
    'rainbow',
    'garden',
    'mountains',
    'whale',
    'balloon',
    'butterfly',
  ]) {
    expect([word, drawSvg(`a child on a hill, ${word}`, size).length > plain + 150]).toEqual([word, true]);
  }
});

test('markup in a prompt never reaches the drawing', () => {
  expect(drawSvg('<script>alert(1)</script> & "boat"', size)).not.toMatch(/script|alert/);
});

const book = (scene: string): string =>
  drawSvg(`STYLE\nEmber is a small dragon.\nSCENE\n${scene}. Theme: dragons`, size);

test('only the scene says who is there: the style of the whole book puts nobody in a picture', () => {
  const [alone, together] = [book('Nora on a hill'), book('Nora and a small dragon on a hill')];
  expect(together.length - alone.length).toBeGreaterThan(1_000);
});
