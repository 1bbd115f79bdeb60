// What the picture of each moment shows, in English whatever the story's language: the words a painter looks for.
import type { Moment } from './storyteller-bank.ts';

/** One for each telling of the moment, in the banks' order. */
export const scenes: Readonly<Record<Moment, readonly string[]>> = {
  open: [
    '{name} at the bedroom window of a small house under the moon and stars',
    '{name} dreaming in a small house at night, clouds and stars over the hills',
    '{name} before a small house in the morning sun, a bird in a tree',
  ],
  sign: [
    '{name} on a winding path in the evening, lanterns and flowers along the way',
    '{name} finds footprints in a green meadow with butterflies and flowers at noon',
  ],
  meet: [
    '{name} meets {intro} beside a big tree in the morning',
    '{name} and {intro} shake hands on a hill with flowers',
  ],
  travel: [
    '{name} and {intro} walk over green hills under clouds, {place} far away',
    '{name} and {intro} on the path with a map, trees and birds, {place} in the distance',
  ],
  play: [
    '{name} and {intro} roll down a green hill, butterflies and flowers, bright noon',
    '{name} and {intro} splash in a pond under a rainbow',
  ],
  obstacle: [
    '{name} and {intro} stand still: {blockScene}',
    '{name} and {intro} look and think: {blockScene}',
  ],
  attempt: [
    '{name} and {intro} tumble and laugh, {blockScene}',
    '{name} and {intro} with leaves in their hair, {blockScene}',
  ],
  helper: [
    '{helper} gives advice to {name} and {intro} among trees at dusk',
    '{name}, {intro} and {helper} put their heads together in the evening',
  ],
  solve: ['{name} and {intro}: {fixScene}', '{name} and {intro} have done it: {fixScene}'],
  find: [
    '{name} holds {thing}, it glows, {place}, stars in the night',
    '{name} and {intro} lift {thing} high, {place}, at sunset',
  ],
  feast: [
    'cake and balloons in the garden, {name} and {intro} dance in the evening',
    '{name} and {intro} sing with all their friends under lanterns and stars in the forest at night',
  ],
  home: [
    '{name} asleep in a small house, the moon and many stars above the hills',
    '{intro} waves to {name} at the window of a house at night under the moon',
  ],
};

/** What is in the way and what the idea looks like, in the order of the banks' obstacles. */
export const obstacleScenes: readonly { blockScene: string; fixScene: string }[] = [
  { blockScene: 'a wide river in the afternoon', fixScene: 'a raft on the river under a rainbow' },
  {
    blockScene: 'thick fog and clouds over the hills',
    fixScene: 'hand in hand through the mist, the sun behind clouds',
  },
  { blockScene: 'a tall castle gate at sunset', fixScene: 'through the ivy into a garden with flowers' },
  {
    blockScene: 'a strong wind and dark clouds in the mountains',
    fixScene: 'step by step up the mountain at sunset',
  },
];

export const looks = {
  style: [
    'soft watercolour on rough paper',
    'warm gouache with visible brush strokes',
    'layered paper cut-outs',
    'gentle coloured pencil',
  ],
  colours: [
    'honey yellow and moss green',
    'lavender and peach',
    'teal and coral',
    'deep blue and apricot',
    'mint and raspberry',
  ],
  hair: ['short black hair', 'curly brown hair', 'a red fringe', 'two blond plaits', 'long dark hair'],
  clothes: ['a yellow raincoat', 'a striped red pullover', 'green dungarees', 'a blue coat with big buttons'],
};
