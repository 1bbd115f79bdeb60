// The English bank of the storyteller. Slots in braces are filled in by storyteller.ts.
import type { Bank } from './storyteller-bank.ts';

export const english: Bank = {
  friends: [
    { name: 'Ember', intro: 'a small dragon' },
    { name: 'Rusty', intro: 'a young fox' },
    { name: 'Pepper', intro: 'a curious cat' },
    { name: 'Clover', intro: 'a shy rabbit' },
    { name: 'Bruno', intro: 'a round brown bear' },
    { name: 'Bolt', intro: 'a friendly robot' },
  ],
  places: [
    { to: 'to the old lighthouse', at: 'at the old lighthouse', title: 'the Old Lighthouse' },
    { to: 'to the whispering forest', at: 'in the whispering forest', title: 'the Whispering Forest' },
    { to: 'to the castle on the hill', at: 'at the castle on the hill', title: 'the Castle on the Hill' },
    { to: 'to the blue mountains', at: 'in the blue mountains', title: 'the Blue Mountains' },
    { to: 'to the hidden garden', at: 'in the hidden garden', title: 'the Hidden Garden' },
    { to: 'to the island in the bay', at: 'on the island in the bay', title: 'the Island in the Bay' },
  ],
  things: [
    { a: 'a tiny silver bell', the: 'the silver bell' },
    { a: 'a little lantern', the: 'the little lantern' },
    { a: 'a singing shell', the: 'the singing shell' },
    { a: 'a fallen star', the: 'the fallen star' },
    { a: 'a red balloon', the: 'the red balloon' },
    { a: 'a golden key', the: 'the golden key' },
  ],
  helpers: ['an old owl', 'a busy bee', 'a patient tortoise', 'a merry whale', 'a tiny snail'],
  obstacles: [
    {
      block: 'A wide river lay across the path.',
      attempt: 'They tried to jump, and landed with a splash.',
      fix: 'They built a raft from fallen branches.',
    },
    {
      block: 'Thick fog hid every step of the way.',
      attempt: 'They walked in a circle, twice.',
      fix: 'They held hands and followed the sound of the wind.',
    },
    {
      block: 'A tall gate stood there, locked tight.',
      attempt: 'They pushed and pushed, and the gate only creaked.',
      fix: 'They found a low gap under the ivy and crept through.',
    },
    {
      block: 'A strong wind blew them back and back.',
      attempt: 'They leaned into it, and tumbled over like acorns.',
      fix: 'They walked close together, one step at a time.',
    },
  ],
  titles: [
    '{name} and {placeTitle}',
    '{name}, {friend} and {thing}',
    'The Night {name} Met {friend}',
    '{friend} Needs {name}',
  ],
  morals: [
    'Small steps taken together go a long way.',
    'Asking for help is a brave thing to do.',
    'A kind word can open more doors than a key.',
    'When a plan fails, a friend and a second idea are enough.',
  ],
  moments: {
    open: [
      [
        '{name} wanted a story about {theme}. Then something tapped on the window.',
        'Tap, tap, tap it went, softly, like a question.',
        'The room was quiet, the moon was up, and {name} was suddenly wide awake, the way you are when an adventure has already decided to begin.',
      ],
      [
        '{name} was dreaming of {theme}. A warm wind came in and said, "Come!"',
        'The curtains danced, and the slippers stood ready beside the bed.',
        'Nobody else in the house had heard it, which could only mean one thing: the message was meant for {name} and for no one else in the world.',
      ],
      [
        'It was a big day for {name}. It was a day for {theme}!',
        'The sun had put on its brightest yellow, and even the sparrows were whispering about it.',
        'Breakfast was finished in four bites, because {name} had learned that the best days do not wait for anyone who is still chewing.',
      ],
    ],
    sign: [
      [
        'Little lights led down the path. {name} followed them.',
        'One, two, three, they blinked, and waited politely at every corner.',
        'Whenever {name} stopped to wonder, the lights stopped too, as if they knew that wondering is an important part of the way.',
      ],
      [
        'There were footprints in the grass. Whose could they be?',
        'They were too round for a bird and too light for a cow.',
        '{name} knelt down to look closely, and noticed that every seventh print had a tiny skip in it, so whoever had walked here liked music.',
      ],
    ],
    meet: [
      [
        'There sat {friend}, {intro}. "I lost {thing}," said {friend}.',
        '"Without it I cannot sleep, and nobody can dream," {friend} added with a sniff.',
        '{name} sat down next to {friend} and listened to the whole story from the beginning, because a sorrow that is listened to is already half as heavy.',
      ],
      [
        '"Hello," said {friend}, {intro}. "Will you help me find {thing}?"',
        '{name} nodded at once, and they shook on it, three times for luck.',
        'It had been lost since the last new moon, {friend} explained, and three clever plans had already gone wrong, one of them involving a great deal of jam.',
      ],
    ],
    travel: [
      [
        'Off they went {to}. Step, step, hop!',
        '{friend} knew a song for walking, and {name} made up a second verse.',
        'Behind them the houses grew as small as sugar cubes, and in front of them the world grew wider with every bend of the road.',
      ],
      [
        '"We must go {to}," said {friend}. So they went.',
        'They shared an apple on the way, and the bigger half went to the one who was more hungry.',
        'The map showed only half of the way, so the other half had to be guessed, and {name} turned out to be surprisingly good at guessing.',
      ],
    ],
    play: [
      [
        'They found a soft green hill. Down they rolled, giggling!',
        'They rolled seven times and stopped only because the clouds were watching.',
        'For a while they forgot what they were looking for, and that was quite all right, since a search goes better with laughter in your pockets.',
      ],
      [
        'A puddle shone like a mirror. Splish, splash, went {name} and {friend}!',
        'Every drop caught a bit of the sky and threw it into the air.',
        'Afterwards they dried in the sun and told each other three secrets, of which two were small and one was rather large.',
      ],
    ],
    obstacle: [
      [
        '{block} "Oh no!" said {friend}.',
        '{name} took a deep breath and counted to five.',
        'Neither of them said out loud that they would rather turn back, and because neither said it, both of them stayed.',
      ],
      [
        'Then they had to stop. {block}',
        '"Hm," said {name}. "Hm," said {friend}, because two hms are better than one.',
        'It was the kind of trouble that looks larger the longer you stare at it, so {name} looked at it with one eye only.',
      ],
    ],
    attempt: [
      [
        '{attempt} That did not work!',
        'They looked at each other, and then they had to laugh.',
        '"Now we know one way that does not work," said {name}, "and that is more than we knew this morning."',
      ],
      [
        'They tried it the quick way. {attempt}',
        '{friend} wanted to grumble, but a hiccup came out instead.',
        'It is not easy to be cheerful with leaves in your hair, but {name} and {friend} managed it within a minute and a half.',
      ],
    ],
    helper: [
      [
        'Along came {helper}. "Try it together," came the advice.',
        'It was said so kindly that even the wind stopped to listen.',
        '"I have lived here for a very long time," the stranger went on, "and I have never seen a trouble that was not afraid of two friends with an idea."',
      ],
      [
        '"May I help?" It was {helper}!',
        '{name} said "yes, please", because brave people say that quite often.',
        'They put their heads together, and as all three thought at once, the thought became three times as bright.',
      ],
    ],
    solve: [
      [
        '{name} had an idea. {fix}',
        '"It works!" cried {friend}, and turned a somersault.',
        'It took patience, and it took both of them, and when it was done {name} felt taller than before, though the trousers still fitted.',
      ],
      [
        '"I know!" said {name}. {fix}',
        'Slowly, slowly, and then all at once, they had done it.',
        '{friend} looked back at the trouble, which seemed rather small from this side, and waved it a polite goodbye.',
      ],
    ],
    find: [
      [
        'There, {at}, was {theThing}! {friend} jumped for joy.',
        'It gleamed as if it had only been waiting to be found by the right two.',
        '{name} picked it up with both hands, very carefully, and for one moment everything around them held its breath.',
      ],
      [
        'Something sparkled {at}. It was {theThing}!',
        '"You found it!" said {friend}. "We found it," said {name}.',
        'All the long way and all the wrong turns suddenly made sense, like the pieces of a puzzle when the last one clicks into place.',
      ],
    ],
    feast: [
      [
        'They had cake and berries. Everyone came!',
        'The crickets played, and {friend} danced on the tips of the toes.',
        'Even the shy ones came out from behind their trees, and by the time the first star was up, nobody was a stranger any more.',
      ],
      [
        'Everybody sang for {name} and {friend}. What a happy song!',
        'It had a long chorus, so that all could join in.',
        '{name} did not know the words, yet knew exactly how it went, for thank-you songs sound the same everywhere.',
      ],
    ],
    home: [
      [
        'Then {name} went home to bed. Good night, {name}. Good night, {friend}!',
        'And the dream was all about {theme}, just as it should be.',
        'Some say that on clear nights you can still see a small light wandering along the path, and that it stops for a moment under the window where {name} is sleeping.',
      ],
      [
        '{name} was tired and happy. "See you tomorrow," said {friend}.',
        'The moon tucked in the hills, and the story of {theme} curled up at the foot of the bed.',
        '{name} thought of everything that had happened, from the first step to the last, and fell asleep somewhere in the middle, which is where the best part was.',
      ],
    ],
  },
};
