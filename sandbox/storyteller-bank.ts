// What a language has to bring so that stories can be told in it. All banks keep the same order of friends, places,
// things, helpers and obstacles, so that a picture can be described in English whatever the story's language is.
// Written so that no sentence needs the child's gender, and so that every noun is used in one case only.

/** The moments of a story in the order in which they happen. */
export const moments = [
  'open',
  'sign',
  'meet',
  'travel',
  'play',
  'obstacle',
  'attempt',
  'helper',
  'solve',
  'find',
  'feast',
  'home',
] as const;
export type Moment = (typeof moments)[number];

/** One way to tell a moment: for the smallest, what is added from five years on, what is added from eight on. */
export type Telling = readonly [core: string, more: string, rich: string];

export interface Bank {
  /** `name` is what the friend is called from then on; `intro` says who that is. */
  friends: readonly { name: string; intro: string }[];
  places: readonly { to: string; at: string; title: string }[];
  things: readonly { a: string; the: string }[];
  helpers: readonly string[];
  /** Whole sentences: what is in the way, the try that fails, the idea that works. */
  obstacles: readonly { block: string; attempt: string; fix: string }[];
  titles: readonly string[];
  morals: readonly string[];
  moments: Readonly<Record<Moment, readonly Telling[]>>;
}
