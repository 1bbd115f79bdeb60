// Who can be in a picture: a child and a few animals, each an SVG group about 180 units high that stands on its origin.
// Shapes only, no text: there is no font to rely on.

export interface Child {
  hair: string;
  clothes: string;
}

const eyes = (y: number, gap: number): string =>
  `<circle cx="${-gap}" cy="${y}" r="5" fill="#2b2233"/><circle cx="${gap}" cy="${y}" r="5" fill="#2b2233"/>
<circle cx="${-gap + 2}" cy="${y - 2}" r="1.6" fill="#fff"/><circle cx="${gap + 2}" cy="${y - 2}" r="1.6" fill="#fff"/>`;
const smile = (y: number, width: number): string =>
  `<path d="M${-width} ${y} Q0 ${y + width} ${width} ${y}" fill="none" stroke="#2b2233" stroke-width="3" stroke-linecap="round"/>`;
const cheeks = (y: number, gap: number): string =>
  `<circle cx="${-gap}" cy="${y}" r="7" fill="#f28b82" opacity=".45"/><circle cx="${gap}" cy="${y}" r="7" fill="#f28b82" opacity=".45"/>`;

export function childFigure({ hair, clothes }: Child): string {
  return `<rect x="-24" y="-48" width="18" height="46" rx="8" fill="#3f4a6b"/><rect x="6" y="-48" width="18" height="46" rx="8" fill="#3f4a6b"/>
<ellipse cx="-17" cy="-3" rx="15" ry="8" fill="#7a4a2b"/><ellipse cx="17" cy="-3" rx="15" ry="8" fill="#7a4a2b"/>
<path d="M-34 -96 L-62 -122" stroke="${clothes}" stroke-width="17" stroke-linecap="round"/><path d="M34 -96 L58 -66" stroke="${clothes}" stroke-width="17" stroke-linecap="round"/>
<circle cx="-66" cy="-126" r="10" fill="#f3c9a5"/><circle cx="61" cy="-60" r="10" fill="#f3c9a5"/>
<path d="M-30 -112 Q0 -124 30 -112 L42 -36 Q0 -24 -42 -36 Z" fill="${clothes}"/>
<path d="M0 -114 L0 -34" stroke="#fff" stroke-opacity=".45" stroke-width="3"/><circle cx="8" cy="-90" r="4" fill="#fff" opacity=".7"/><circle cx="8" cy="-66" r="4" fill="#fff" opacity=".7"/>
<circle cx="0" cy="-152" r="50" fill="${hair}"/><circle cx="0" cy="-146" r="42" fill="#f8d3b0"/>
<path d="M-44 -152 Q-30 -204 4 -198 Q42 -194 44 -150 Q20 -178 -8 -174 Q-32 -172 -44 -152 Z" fill="${hair}"/>
${eyes(-144, 16)}${cheeks(-130, 25)}${smile(-128, 12)}`;
}

interface Coat {
  fur: string;
  belly: string;
  ears: 'pointed' | 'long' | 'round';
  tail: string;
}

const earPaths = {
  pointed: (fur: string): string =>
    `<path d="M-44 -128 L-46 -186 L-8 -158 Z" fill="${fur}"/><path d="M44 -128 L46 -186 L8 -158 Z" fill="${fur}"/>
<path d="M-37 -140 L-39 -170 L-19 -154 Z" fill="#f6b8a8"/><path d="M37 -140 L39 -170 L19 -154 Z" fill="#f6b8a8"/>`,
  long: (fur: string): string =>
    `<ellipse cx="-20" cy="-190" rx="13" ry="46" fill="${fur}" transform="rotate(-8 -20 -150)"/><ellipse cx="20" cy="-190" rx="13" ry="46" fill="${fur}" transform="rotate(12 20 -150)"/>
<ellipse cx="-20" cy="-188" rx="6" ry="32" fill="#f6b8a8" transform="rotate(-8 -20 -150)"/><ellipse cx="20" cy="-188" rx="6" ry="32" fill="#f6b8a8" transform="rotate(12 20 -150)"/>`,
  round: (fur: string): string =>
    `<circle cx="-36" cy="-160" r="19" fill="${fur}"/><circle cx="36" cy="-160" r="19" fill="${fur}"/><circle cx="-36" cy="-160" r="10" fill="#f6b8a8"/><circle cx="36" cy="-160" r="10" fill="#f6b8a8"/>`,
};

function beast({ fur, belly, ears, tail }: Coat): string {
  return `${tail}<ellipse cx="0" cy="-50" rx="52" ry="54" fill="${fur}"/><ellipse cx="0" cy="-42" rx="31" ry="38" fill="${belly}"/>
<ellipse cx="-30" cy="-6" rx="22" ry="12" fill="${fur}"/><ellipse cx="30" cy="-6" rx="22" ry="12" fill="${fur}"/>${earPaths[ears](fur)}
<circle cx="0" cy="-122" r="48" fill="${fur}"/><ellipse cx="0" cy="-106" rx="27" ry="20" fill="${belly}"/>
${eyes(-128, 20)}${cheeks(-108, 34)}<ellipse cx="0" cy="-114" rx="8" ry="6" fill="#3a2a33"/>${smile(-102, 9)}`;
}

const bushyTail = `<path d="M40 -20 Q120 -14 112 -92 Q88 -52 40 -50 Z" fill="#e07a3f"/><path d="M112 -92 Q120 -62 104 -44 Q92 -58 112 -92 Z" fill="#fff3e2"/>`;
const thinTail = `<path d="M42 -18 Q104 -20 92 -84" fill="none" stroke="#6d6a83" stroke-width="15" stroke-linecap="round"/>`;
const puffTail = `<circle cx="52" cy="-22" r="18" fill="#fff"/>`;

const dragon = `<path d="M30 -20 Q120 -6 124 -74 L142 -66 L122 -96 L104 -72 L116 -72 Q108 -34 44 -46 Z" fill="#4fae7b"/>
<path d="M34 -84 Q96 -176 116 -92 Q92 -104 84 -78 Q66 -92 34 -62 Z" fill="#8fd6a4"/>
<ellipse cx="0" cy="-52" rx="54" ry="56" fill="#4fae7b"/><ellipse cx="-4" cy="-44" rx="33" ry="42" fill="#f5e6a8"/>
<path d="M-32 -52 h56 M-34 -38 h60 M-32 -24 h56" stroke="#e2cc7d" stroke-width="4" stroke-linecap="round"/>
<ellipse cx="-30" cy="-6" rx="24" ry="12" fill="#3f9a6a"/><ellipse cx="30" cy="-6" rx="24" ry="12" fill="#3f9a6a"/>
<path d="M-24 -166 L-12 -194 L0 -168 L12 -198 L24 -166 Z" fill="#f4a259"/><circle cx="0" cy="-128" r="46" fill="#4fae7b"/>
<ellipse cx="0" cy="-108" rx="34" ry="22" fill="#6cc591"/><circle cx="-11" cy="-114" r="4" fill="#2f6d4c"/><circle cx="11" cy="-114" r="4" fill="#2f6d4c"/>
${eyes(-138, 19)}${smile(-102, 13)}`;

const robot = `<rect x="-36" y="-22" width="24" height="20" rx="6" fill="#7f8fa8"/><rect x="12" y="-22" width="24" height="20" rx="6" fill="#7f8fa8"/>
<path d="M-44 -74 L-72 -96 M44 -74 L70 -50" stroke="#7f8fa8" stroke-width="13" stroke-linecap="round"/><circle cx="-74" cy="-98" r="12" fill="#f4c95d"/><circle cx="72" cy="-46" r="12" fill="#f4c95d"/>
<rect x="-48" y="-96" width="96" height="80" rx="18" fill="#a9bcd6"/><circle cx="0" cy="-56" r="17" fill="#f28482"/><circle cx="-28" cy="-38" r="5" fill="#f4c95d"/><circle cx="28" cy="-38" r="5" fill="#84dcc6"/>
<path d="M0 -170 V-196" stroke="#7f8fa8" stroke-width="6"/><circle cx="0" cy="-200" r="10" fill="#f28482"/><rect x="-54" y="-172" width="108" height="74" rx="24" fill="#c9d8ec"/>
<rect x="-40" y="-158" width="80" height="46" rx="16" fill="#38496b"/><circle cx="-18" cy="-138" r="8" fill="#84f0d0"/><circle cx="18" cy="-138" r="8" fill="#84f0d0"/><path d="M-12 -122 Q0 -114 12 -122" stroke="#84f0d0" stroke-width="3" fill="none"/>`;

const owl = `<path d="M-30 -104 L-38 -138 L-8 -118 Z M30 -104 L38 -138 L8 -118 Z" fill="#8a6a4f"/><ellipse cx="0" cy="-62" rx="46" ry="62" fill="#a5805f"/><ellipse cx="0" cy="-44" rx="29" ry="40" fill="#ecd8b8"/>
<ellipse cx="-44" cy="-54" rx="14" ry="36" fill="#8a6a4f"/><ellipse cx="44" cy="-54" rx="14" ry="36" fill="#8a6a4f"/><circle cx="-18" cy="-92" r="20" fill="#fff8e6"/><circle cx="18" cy="-92" r="20" fill="#fff8e6"/>
<circle cx="-18" cy="-92" r="9" fill="#2b2233"/><circle cx="18" cy="-92" r="9" fill="#2b2233"/><path d="M-7 -82 L7 -82 L0 -68 Z" fill="#f0a63c"/>`;

const tortoise = `<ellipse cx="-62" cy="-36" rx="24" ry="20" fill="#9cc27a"/><circle cx="-68" cy="-42" r="4" fill="#2b2233"/><ellipse cx="-34" cy="-6" rx="16" ry="10" fill="#9cc27a"/><ellipse cx="34" cy="-6" rx="16" ry="10" fill="#9cc27a"/>
<path d="M-58 -12 Q-50 -84 0 -84 Q50 -84 58 -12 Z" fill="#8a6b45"/><path d="M-30 -14 L-18 -52 L18 -52 L30 -14 M-18 -52 L0 -82 L18 -52" stroke="#6e5232" stroke-width="5" fill="none"/>`;

const snail = `<path d="M-66 -4 Q-72 -40 -50 -46 Q-36 -14 40 -16 Q60 -14 66 -2 Z" fill="#e8c39e"/><path d="M-58 -42 L-66 -64 M-50 -44 L-46 -66" stroke="#e8c39e" stroke-width="5"/><circle cx="-66" cy="-66" r="5" fill="#2b2233"/><circle cx="-46" cy="-68" r="5" fill="#2b2233"/>
<circle cx="6" cy="-46" r="40" fill="#d98a6a"/><path d="M6 -46 m0 -26 a26 26 0 1 0 26 26 a17 17 0 1 0 -26 16" stroke="#b5694d" stroke-width="6" fill="none"/>`;

/** Words of a prompt -> the figure; the first that fits comes first in the picture. */
export const animals: readonly { words: RegExp; svg: string }[] = [
  { words: /\b(dragons?|dragón|drachen?)\b/i, svg: dragon },
  {
    words: /\b(fox|foxes|fuchs|renard|zorro)\b/i,
    svg: beast({ fur: '#e07a3f', belly: '#fff3e2', ears: 'pointed', tail: bushyTail }),
  },
  {
    words: /\b(cats?|kitten|katze|kater|chats?|gatos?|gata)\b/i,
    svg: beast({ fur: '#6d6a83', belly: '#e9e4f0', ears: 'pointed', tail: thinTail }),
  },
  {
    words: /\b(rabbits?|bunny|hase|lapin|conejo)\b/i,
    svg: beast({ fur: '#cbb5a0', belly: '#fbf3ea', ears: 'long', tail: puffTail }),
  },
  {
    words: /\b(bears?|bär|ours|oso)\b/i,
    svg: beast({ fur: '#8d6142', belly: '#e2c29f', ears: 'round', tail: '' }),
  },
  {
    words: /\b(dogs?|puppy|hund|chien|perro|wolf)\b/i,
    svg: beast({
      fur: '#b98b5e',
      belly: '#f6e6d0',
      ears: 'round',
      tail: thinTail.replace('#6d6a83', '#b98b5e'),
    }),
  },
  { words: /\b(robots?|roboter)\b/i, svg: robot },
  { words: /\b(owls?|eule|chouette|lechuza)\b/i, svg: owl },
  { words: /\b(tortoise|turtle|schildkröte|tortue|tortuga)\b/i, svg: tortoise },
  { words: /\b(snails?|schnecke|escargot|caracol)\b/i, svg: snail },
];
