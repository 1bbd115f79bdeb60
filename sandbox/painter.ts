// Draws a picture from the words of a prompt, as PNG: the time of day, the land, who is there and what they hold.
// The same prompt always gives the same bytes, and another prompt another picture.
import sharp from 'sharp';
import { animals, childFigure, type Child } from './painter-figures.ts';
import {
  clouds,
  flowers,
  hill,
  mountains,
  rainbow,
  shade,
  sky,
  trees,
  water,
  type Time,
} from './painter-scenery.ts';
import { buildings, fliers, seaAnimals, treasures, vessels, type Thing } from './painter-things.ts';
import { lotsOf, type Lots } from './storyteller-seed.ts';

const times: readonly [RegExp, Time][] = [
  [/\b(night|moon|stars?|asleep|dream(?:ing)?|nacht|mond|nuit|lune|noche|luna|space)\b/i, 'night'],
  [/\b(evening|dusk|lanterns?|abend|soir)\b/i, 'evening'],
  [/\b(sunset|afternoon|sonnenuntergang|coucher|atardecer)\b/i, 'sunset'],
  [/\b(morning|dawn|sunrise|morgen|matin|mañana)\b/i, 'morning'],
];
const wet =
  /\b(sea|ocean|water|rivers?|lake|pond|boats?|ships?|raft|island|bay|whales?|pirates?|meer|fluss|schiff|mer|mar|río)\b/i;

const hairs: readonly [RegExp, string][] = [
  [/\bblack hair|dark hair\b/i, '#2c2430'],
  [/\bred fringe|red hair\b/i, '#b8502c'],
  [/\bblond/i, '#e6bf66'],
];
const coats: readonly [RegExp, string][] = [
  [/\byellow (?:rain)?coat\b/i, '#f2c230'],
  [/\bred (?:pullover|coat|jacket|dress)\b/i, '#d9534f'],
  [/\bgreen (?:dungarees|coat|jacket|dress)\b/i, '#4f9d69'],
  [/\bblue (?:coat|jacket|dress|pullover)\b/i, '#3f6fb5'],
];

const firstOf = <T>(list: readonly [RegExp, T][], prompt: string): T | undefined =>
  list.find(([words]) => words.test(prompt))?.[1];
const place = (svg: string, x: number, y: number, scale = 1): string =>
  `<g transform="translate(${x} ${y}) scale(${scale})">${svg}</g>`;
const seen = (things: readonly Thing[], prompt: string): Thing[] =>
  things.filter(({ words }) => words.test(prompt));

function land(prompt: string, lots: Lots): string {
  // One hue for all the land, so that near and far belong together; the hash decides whether it is moss, meadow or heather.
  const hue = lots.between(88, 158);
  const far = `hsl(${hue + 22} 34% 66%)`;
  const middle = `hsl(${hue + 8} 38% 56%)`;
  const building = seen(buildings, prompt)[0];
  const onLand = building
    ? place(building.svg, lots.pick([lots.between(170, 320), lots.between(880, 1030)]), 650, 0.95)
    : '';
  const peaks = /\b(mountains?|peak|snow|berge?n?|montagnes?|montañas?)\b/i.test(prompt)
    ? mountains(lots)
    : '';
  return `${peaks}${hill(lots, 560, far)}${hill(lots, 640, middle)}${onLand}`;
}

function shore(prompt: string, lots: Lots): { ground: string; afloat: boolean } {
  const near = `hsl(${lots.between(84, 140)} 42% 45%)`;
  if (!wet.test(prompt)) return { ground: hill(lots, 750, near), afloat: false };
  const vessel = seen(vessels, prompt)[0];
  const swimmers = seen(seaAnimals, prompt).map(({ svg }) => place(svg, lots.between(820, 940), 720, 0.9));
  const sea = `${water(lots, 660)}${swimmers.join('')}`;
  if (!vessel) return { ground: `${sea}${hill(lots, 800, near)}`, afloat: false };
  return { ground: `${sea}${place(vessel.svg, 560, 806, 1.25)}`, afloat: true };
}

function company(prompt: string, lots: Lots, afloat: boolean): string {
  const child: Child = {
    hair: firstOf(hairs, prompt) ?? lots.pick(['#2c2430', '#6b4226', '#b8502c', '#e6bf66']),
    clothes: firstOf(coats, prompt) ?? lots.pick(['#f2c230', '#d9534f', '#4f9d69', '#3f6fb5', '#9b6fb8']),
  };
  const foot = afloat ? 762 : 836;
  const start = afloat ? 440 : lots.between(400, 470);
  const friends = animals.filter(({ words }) => words.test(prompt)).slice(0, 3);
  const figures = [childFigure(child), ...friends.map(({ svg }) => svg)].map((svg, index) =>
    place(svg, start + index * (afloat ? 190 : 210), foot - (index % 2) * 6, afloat ? 0.9 : 1.1),
  );
  const held = seen(treasures, prompt)[0];
  const holding = held ? place(held.svg, start - 96 + (afloat ? 0 : -6), foot - 150, 0.9) : '';
  return `${figures.join('')}${holding}`;
}

function air(prompt: string, lots: Lots): string {
  const found = seen(fliers, prompt).flatMap(({ svg }) =>
    [0, 1, 2, 3].map(() =>
      place(svg, lots.between(120, 1080), lots.between(300, 620), 0.8 + lots.next() / 2),
    ),
  );
  return found.join('');
}

/** The drawing before it becomes pixels: 1200 x 900 units, cropped evenly to other shapes. */
export function drawSvg(prompt: string, size: { width: number; height: number }): string {
  const lots = lotsOf(prompt);
  const time = firstOf(times, prompt) ?? 'day';
  const gloomy = /\b(clouds?|fog|mist|storm|rain|wind|wolken|nebel)\b/i.test(prompt);
  const wooded = /\b(forest|woods?|trees?|jungle|wald|forêt|bosque)\b/i.test(prompt);
  const { ground, afloat } = shore(prompt, lots);
  const layers = [
    sky(time, lots),
    clouds(lots, gloomy, time),
    /\brainbow|regenbogen|arc-en-ciel|arcoíris/i.test(prompt) ? rainbow : '',
    land(prompt, lots),
    trees(lots, wooded ? 9 : lots.between(1, 3), 690),
    ground,
    afloat ? '' : trees(lots, wooded ? 4 : 0, 800),
    /\b(flowers?|garden|meadow|blumen?|garten|jardin|jardín|flores)\b/i.test(prompt) && !afloat
      ? flowers(lots)
      : '',
    `<rect width="1200" height="900" fill="#0b1440" opacity="${shade[time]}"/>`,
    company(prompt, lots, afloat),
    air(prompt, lots),
    /\b(fog|mist|nebel)\b/i.test(prompt)
      ? '<rect y="420" width="1200" height="330" fill="#eef3f8" opacity=".45"/>'
      : '',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 1200 900" preserveAspectRatio="xMidYMid slice">${layers.join('')}</svg>`;
}

/** PNG bytes of exactly `size` pixels. */
export async function paint(prompt: string, size: { width: number; height: number }): Promise<Buffer> {
  return sharp(Buffer.from(drawSvg(prompt, size)))
    .png({ compressionLevel: 6 })
    .toBuffer();
}
