// Tells a story for a brief: the child's name, the theme, exactly the pages asked, in words for the age.
// The same prompt always tells the same story, and another prompt another one: every choice is drawn from the whole prompt.
import { moments, type Bank, type Moment, type Telling } from './storyteller-bank.ts';
import type { Brief } from './storyteller-brief.ts';
import { german } from './storyteller-de.ts';
import { english } from './storyteller-en.ts';
import { spanish } from './storyteller-es.ts';
import { french } from './storyteller-fr.ts';
import { looks, obstacleScenes, scenes } from './storyteller-scenes.ts';
import { lotsOf, type Lots } from './storyteller-seed.ts';

export interface Story {
  title: string;
  moral: string;
  artDirection: string;
  /** `scene` is in English. */
  pages: { text: string; scene: string }[];
}

const banks: Readonly<Record<string, Bank>> = { en: english, de: german, fr: french, es: spanish };

/** Stories too short for one moment a page tell several on one. */
const shortPlots: readonly (readonly Moment[])[][] = [
  [['open', 'meet', 'find', 'home']],
  [
    ['open', 'meet'],
    ['find', 'home'],
  ],
  [['open'], ['meet', 'find'], ['home']],
  [['open'], ['meet'], ['find'], ['home']],
  [['open'], ['meet'], ['travel'], ['find'], ['home']],
];
/** Which moments a longer story cannot do without, most needed first. */
const needed: readonly Moment[] = [
  'open',
  'home',
  'meet',
  'find',
  'obstacle',
  'solve',
  'travel',
  'attempt',
  'helper',
  'sign',
  'play',
  'feast',
];

/** What the theme asks for by name, in the banks' order; everything else is drawn. */
const friendWords = [
  /dra[gc]|drach/i,
  /fox|fuchs|renard|zorro/i,
  /\bcat|kitten|katze|kater|\bchats?\b|\bgat[oa]/i,
  /rabbit|bunny|hase|lapin|conejo/i,
  /\bbear|\bbär|\bours\b|\boso\b/i,
  /robot|roboter/i,
];
const placeWords = [
  /lighthouse|leuchtturm|phare|faro/i,
  /forest|wood|wald|forêt|bosque|tree/i,
  /castle|knight|prince|schloss|ritter|château|castillo/i,
  /mountain|snow|berg|montagn|montaña/i,
  /garden|flower|garten|blume|jardin|jardín/i,
  /island|boat|pirate|\bsea\b|ocean|insel|meer|\bmer\b|\bîle|isla|\bmar\b/i,
];
const thingWords = [
  /bell|glocke|cloche/i,
  /lantern|dark|laterne|dunkel|lanterne/i,
  /shell|music|muschel|coquillage/i,
  /star|space|moon|stern|mond|étoile|lune|estrella|luna/i,
  /balloon|birthday|ballon|globo/i,
  /key|treasure|secret|schatz|trésor|tesoro/i,
];

/** Indexes into the banks, drawn once, so that every language and the pictures tell of the same. */
interface Cast {
  friend: number;
  place: number;
  thing: number;
  helper: number;
  obstacle: number;
}

function wanted(words: readonly RegExp[], theme: string, lots: Lots): number {
  const drawn = lots.between(0, words.length - 1);
  const asked = words.findIndex((word) => word.test(theme));
  return asked === -1 ? drawn : asked;
}

/** The moments of each page, in story order; beyond twelve pages the wandering goes on a little longer. */
function plot(pages: number): (readonly Moment[])[] {
  const short = shortPlots[pages - 1];
  if (short) return [...short];
  const chosen = new Set(needed.slice(0, pages));
  const inOrder = moments.filter((moment) => chosen.has(moment));
  const extra = Array.from({ length: Math.max(0, pages - moments.length) }, (_, index): Moment => {
    return index % 2 === 0 ? 'travel' : 'play';
  });
  inOrder.splice(inOrder.indexOf('obstacle'), 0, ...extra);
  return inOrder.map((moment) => [moment]);
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new Error('the storyteller is lost: a bank has an empty list; fill it');
  return found;
}

/** One pass, so that braces inside a name or a theme are never taken for a slot. A name is written as it was given. */
function fill(template: string, slots: Readonly<Record<string, string>>): string {
  const filled = template.replaceAll(/\{(\w+)\}/g, (whole, slot: string) => slots[slot] ?? whole);
  return template.startsWith('{name}') ? filled : filled.charAt(0).toUpperCase() + filled.slice(1);
}

function slotsFor(bank: Bank, brief: Brief, cast: Cast): Record<string, string> {
  const friend = at(bank.friends, cast.friend);
  const place = at(bank.places, cast.place);
  const thing = at(bank.things, cast.thing);
  return {
    name: brief.childName,
    theme: brief.theme,
    friend: friend.name,
    intro: friend.intro,
    to: place.to,
    at: place.at,
    place: place.title,
    placeTitle: place.title,
    thing: thing.a,
    theThing: thing.the,
    helper: at(bank.helpers, cast.helper),
    ...at(bank.obstacles, cast.obstacle),
    ...at(obstacleScenes, cast.obstacle),
  };
}

function wording(telling: Telling, age: number): string {
  if (age <= 4) return telling[0];
  return telling.slice(0, age <= 7 ? 2 : 3).join(' ');
}

function direction(brief: Brief, slots: Record<string, string>, lots: Lots): string {
  const child = `${brief.childName} has ${lots.pick(looks.hair)} and wears ${lots.pick(looks.clothes)}`;
  const style = `${lots.pick(looks.style)}, mostly ${lots.pick(looks.colours)}`;
  return `${fill(style, {})}. ${child}. ${slots['friend']} is ${slots['intro']}. Round shapes, friendly faces, no text.`;
}

function castFor(theme: string, lots: Lots): Cast {
  return {
    friend: wanted(friendWords, theme, lots),
    place: wanted(placeWords, theme, lots),
    thing: wanted(thingWords, theme, lots),
    helper: lots.between(0, english.helpers.length - 1),
    obstacle: lots.between(0, english.obstacles.length - 1),
  };
}

/** `prompt` is everything the model was sent: it decides what the brief leaves open. */
export function tellStory(brief: Brief & { pages: number }, prompt: string): Story {
  const lots = lotsOf(prompt);
  const bank = banks[brief.language] ?? english;
  const cast = castFor(brief.theme, lots);
  const slots = slotsFor(bank, brief, cast);
  const shown = { ...slotsFor(english, brief, cast), friend: slots['friend'] ?? '' };
  const turns = new Map<Moment, number>();
  const tell = (moment: Moment): { text: string; scene: string } => {
    // A moment told twice in one story is told in another way the second time.
    const turn = (turns.get(moment) ?? lots.between(0, 5)) + 1;
    turns.set(moment, turn);
    const way = turn % bank.moments[moment].length;
    const text = fill(wording(at(bank.moments[moment], way), brief.age), slots);
    return { text, scene: fill(at(scenes[moment], way), shown) };
  };
  const pages = plot(brief.pages).map((onPage) => {
    const told = onPage.map(tell);
    const text = told.map((part) => part.text).join(' ');
    return { text, scene: `${told.at(-1)?.scene ?? ''}. Theme: ${brief.theme}` };
  });
  const title = fill(lots.pick(bank.titles), slots);
  return { title, moral: lots.pick(bank.morals), artDirection: direction(brief, shown, lots), pages };
}
