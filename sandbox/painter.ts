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

const gloomy = /\b(clouds?|fog|mist|storm|rain|wind|wolken|nebel)\b/i;
const foggy = /\b(fog|mist|nebel)\b/i;
const woody = /\b(forest|woods?|trees?|jungle|wald|forêt|bosque)\b/i;
const flowery = /\b(flowers?|garden|meadow|blumen?|garten|jardin|jardín|flores)\b/i;
const bowed = /\b(rainbow|regenbogen|arc-en-ciel|arcoíris)\b/i;

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

/** `prompt` is everything, `shown` what stands under a line SCENE when there is one, `scene` that without what is only the theme. */
interface Words {
  prompt: string;
  shown: string;
  scene: string;
}

function readWords(prompt: string): Words {
  const shown = /^SCENE:?\s*\n([\s\S]+)/m.exec(prompt)?.[1] ?? prompt;
  return { prompt, shown, scene: shown.replaceAll(/\btheme:[^\n]*/gi, '') };
}

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

/** A boat that the scene names carries everyone; one that only the theme names sails by. */
function shore({ shown: prompt, scene }: Words, lots: Lots): { ground: string; afloat: boolean } {
  const near = `hsl(${lots.between(84, 140)} 42% 45%)`;
  if (!wet.test(prompt)) return { ground: hill(lots, 750, near), afloat: false };
  const swimmers = seen(seaAnimals, prompt).map(({ svg }) => place(svg, lots.between(820, 940), 720, 0.9));
  const sea = `${water(lots, 660)}${swimmers.join('')}`;
  const vessel = seen(vessels, scene)[0];
  if (vessel) return { ground: `${sea}${place(vessel.svg, 560, 806, 1.25)}`, afloat: true };
  const passing = seen(vessels, prompt)[0];
  const far = passing ? place(passing.svg, lots.between(140, 1060), 716, 0.5) : '';
  return { ground: `${sea}${far}${hill(lots, 800, near)}`, afloat: false };
}

function company({ prompt, scene }: Words, lots: Lots, afloat: boolean): string {
  const child: Child = {
    hair: firstOf(hairs, prompt) ?? lots.pick(['#2c2430', '#6b4226', '#b8502c', '#e6bf66']),
    clothes: firstOf(coats, prompt) ?? lots.pick(['#f2c230', '#d9534f', '#4f9d69', '#3f6fb5', '#9b6fb8']),
  };
  const friends = animals.filter(({ words }) => words.test(scene)).slice(0, 2);
  const figures = [childFigure(child), ...friends.map(({ svg }) => svg)];
  // Who stands where changes from page to page; nobody hangs over the edge of the boat.
  const size = afloat ? 0.9 : 1.1 + lots.next() * 0.25;
  const apart = afloat ? 150 : lots.between(190, 230);
  const start = afloat ? 430 : lots.pick([230, 380, 520, 640]);
  const foot = afloat ? 762 : 838;
  const held = seen(treasures, scene)[0];
  const holding = held ? place(held.svg, start - 84 * size, foot - 130 * size, 0.9) : '';
  return figures.map((svg, index) => place(svg, start + index * apart, foot, size)).join('') + holding;
}

function air(prompt: string, lots: Lots): string {
  const found = seen(fliers, prompt).flatMap(({ svg }) =>
    [0, 1, 2, 3].map(() =>
      place(svg, lots.between(120, 1080), lots.between(300, 620), 0.8 + lots.next() / 2),
    ),
  );
  return found.join('');
}

const fog = '<rect y="420" width="1200" height="330" fill="#eef3f8" opacity=".45"/>';

/** The drawing before it becomes pixels: 1200 x 900 units, cropped evenly to other shapes. */
export function drawSvg(prompt: string, size: { width: number; height: number }): string {
  const lots = lotsOf(prompt);
  const words = readWords(prompt);
  const { shown, scene } = words;
  const time = firstOf(times, scene) ?? firstOf(times, shown) ?? 'day';
  const { backdrop, lights } = sky(time, lots);
  const { ground, afloat } = shore(words, lots);
  const wooded = woody.test(shown);
  const layers = [
    backdrop,
    bowed.test(shown) ? rainbow : '',
    clouds(lots, gloomy.test(shown), time),
    land(shown, lots),
    trees(lots, wooded ? 9 : lots.between(1, 3), 690),
    ground,
    afloat || !wooded ? '' : trees(lots, 4, 800),
    flowery.test(shown) && !afloat ? flowers(lots) : '',
    `<rect width="1200" height="900" fill="#0b1440" opacity="${shade[time]}"/>`,
    lights,
    company(words, lots, afloat),
    air(shown, lots),
    foggy.test(shown) ? fog : '',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 1200 900" preserveAspectRatio="xMidYMid slice">${layers.join('')}</svg>`;
}

/** PNG bytes of exactly `size` pixels. */
export async function paint(prompt: string, size: { width: number; height: number }): Promise<Buffer> {
  return sharp(Buffer.from(drawSvg(prompt, size)))
    .png({ compressionLevel: 6 })
    .toBuffer();
}
