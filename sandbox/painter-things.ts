// Buildings, boats and small things of a picture, each an SVG group that stands on its origin.

const house = `<rect x="-80" y="-110" width="160" height="112" rx="6" fill="#f4dcb8"/><path d="M-102 -104 L0 -196 L102 -104 Z" fill="#c8553d"/><rect x="40" y="-186" width="24" height="52" fill="#a5452f"/>
<rect x="-22" y="-58" width="42" height="60" rx="20" fill="#8a5a3b"/><circle cx="12" cy="-26" r="3" fill="#f6d365"/><rect x="-66" y="-90" width="36" height="36" rx="5" fill="#ffe79a"/><path d="M-48 -90 v36 M-66 -72 h36" stroke="#b5835a" stroke-width="4"/><rect x="32" y="-90" width="36" height="36" rx="5" fill="#ffe79a"/><path d="M50 -90 v36 M32 -72 h36" stroke="#b5835a" stroke-width="4"/>`;

const lighthouse = `<path d="M16 -252 L260 -310 L260 -210 Z" fill="#fff2b0" opacity=".45"/><path d="M-46 0 L-30 -226 H30 L46 0 Z" fill="#fbf6ee"/><path d="M-43 -40 L-39 -92 H39 L43 -40 Z M-36 -136 L-33 -184 H33 L36 -136 Z" fill="#d9534f"/>
<rect x="-40" y="-236" width="80" height="14" rx="4" fill="#4a4e69"/><rect x="-24" y="-276" width="48" height="42" fill="#ffe27a"/><path d="M-34 -274 L0 -310 L34 -274 Z" fill="#d9534f"/><rect x="-14" y="-34" width="28" height="36" rx="13" fill="#4a4e69"/>`;

const castle = `<rect x="-120" y="-150" width="240" height="152" fill="#cbb9d8"/><path d="M-120 -150 v-22 h30 v22 h30 v-22 h30 v22 h60 v-22 h30 v22 h30 v-22 h30 v22 Z" fill="#cbb9d8"/><rect x="-152" y="-220" width="62" height="222" fill="#b8a4c9"/><rect x="90" y="-220" width="62" height="222" fill="#b8a4c9"/>
<path d="M-162 -216 L-121 -300 L-80 -216 Z M80 -216 L121 -300 L162 -216 Z" fill="#7a5c99"/><path d="M-121 -298 v-34 l34 12 l-34 12 M121 -298 v-34 l34 12 l-34 12" fill="#f28482" stroke="#5d4a66" stroke-width="3"/><path d="M-36 2 V-54 A36 36 0 0 1 36 -54 V2 Z" fill="#6b4a3a"/>
<rect x="-132" y="-176" width="22" height="36" rx="11" fill="#ffe79a"/><rect x="110" y="-176" width="22" height="36" rx="11" fill="#ffe79a"/><rect x="-76" y="-116" width="20" height="30" rx="10" fill="#ffe79a"/><rect x="56" y="-116" width="20" height="30" rx="10" fill="#ffe79a"/>`;

const island = `<ellipse cx="0" cy="4" rx="190" ry="34" fill="#f3dfa6"/><path d="M-150 0 Q-90 -86 0 -80 Q110 -88 150 0 Z" fill="#6fb26a"/><path d="M20 -76 Q40 -150 16 -204" fill="none" stroke="#8a6242" stroke-width="16"/><path d="M16 -204 Q-50 -232 -76 -176 Q-30 -196 16 -204 Q80 -240 110 -184 Q64 -204 16 -204 Q20 -262 66 -268 Q34 -240 16 -204" fill="#3f9a5b"/>`;

const rocket = `<path d="M-34 -40 L-70 4 L-30 -8 Z M34 -40 L70 4 L30 -8 Z" fill="#d9534f"/><path d="M0 -230 Q54 -160 38 -10 H-38 Q-54 -160 0 -230 Z" fill="#f4f6fb"/><path d="M0 -230 Q28 -196 38 -158 H-38 Q-28 -196 0 -230 Z" fill="#d9534f"/><circle cy="-110" r="24" fill="#6fc3f0" stroke="#4a4e69" stroke-width="7"/><path d="M-22 -8 Q0 78 22 -8 Z" fill="#f6bd60"/>`;

const boat = `<path d="M-8 -60 V-262" stroke="#7b5136" stroke-width="12"/><path d="M4 -256 Q118 -170 110 -84 H4 Z" fill="#fdf4e3"/><path d="M-14 -236 Q-92 -170 -84 -84 H-14 Z" fill="#f28482"/><path d="M-180 -62 H180 Q150 18 96 20 H-96 Q-150 18 -180 -62 Z" fill="#a5653f"/><path d="M-172 -40 H172" stroke="#7b4a2d" stroke-width="7"/>`;

const raft = `<g fill="#a5724a" stroke="#7b5136" stroke-width="5"><rect x="-200" y="-34" width="400" height="24" rx="12"/><rect x="-214" y="-16" width="428" height="24" rx="12"/><rect x="-200" y="2" width="400" height="24" rx="12"/></g><path d="M-120 -36 V26 M120 -36 V26" stroke="#f3dfa6" stroke-width="10"/>`;

const whale = `<path d="M-150 0 Q-160 -120 -10 -120 Q120 -120 150 -30 Q190 -40 196 -92 Q214 -60 236 -84 Q236 -10 160 0 Z" fill="#4d76b3"/><path d="M-148 -20 Q-60 30 90 -4 L150 0 H-150 Z" fill="#dbe9fb"/><circle cx="-96" cy="-58" r="7" fill="#1d2340"/><path d="M-40 -124 Q-44 -176 -84 -182 M-40 -124 Q-36 -180 6 -184" fill="none" stroke="#d8f3ff" stroke-width="9" stroke-linecap="round"/>`;

const balloon = `<path d="M0 -58 Q14 0 -6 60" fill="none" stroke="#6b6b7b" stroke-width="3"/><ellipse cy="-104" rx="38" ry="48" fill="#e4574f"/><ellipse cx="-13" cy="-120" rx="9" ry="14" fill="#fff" opacity=".5"/>`;
const lantern = `<circle cy="-34" r="74" fill="#ffe79a" opacity=".3"/><path d="M-16 -74 A16 18 0 0 1 16 -74" fill="none" stroke="#5b4636" stroke-width="6"/><rect x="-26" y="-72" width="52" height="10" rx="4" fill="#5b4636"/><rect x="-21" y="-62" width="42" height="50" rx="8" fill="#ffd75e"/><rect x="-27" y="-12" width="54" height="12" rx="5" fill="#5b4636"/>`;
const bell = `<circle cy="-40" r="70" fill="#fff" opacity=".25"/><path d="M-38 -12 Q-24 -24 -24 -58 A24 24 0 0 1 24 -58 Q24 -24 38 -12 Z" fill="#c9d3df"/><circle cy="-6" r="9" fill="#8d99ae"/><circle cy="-86" r="7" fill="#8d99ae"/>`;
const star = `<circle cy="-40" r="80" fill="#fff3b0" opacity=".4"/><path d="M0 -92 L14 -56 L52 -54 L22 -30 L33 8 L0 -14 L-33 8 L-22 -30 L-52 -54 L-14 -56 Z" fill="#ffd95e"/>`;
const key = `<circle cy="-60" r="60" fill="#fff3b0" opacity=".35"/><circle cx="0" cy="-72" r="20" fill="none" stroke="#e8b13c" stroke-width="11"/><path d="M0 -52 V0 M0 -6 H20 M0 -22 H15" stroke="#e8b13c" stroke-width="11" stroke-linecap="round"/>`;
const shell = `<circle cy="-34" r="64" fill="#fff" opacity=".25"/><path d="M0 0 Q-64 -22 -44 -66 Q-22 -92 0 -70 Q22 -92 44 -66 Q64 -22 0 0 Z" fill="#f7b7a3"/><path d="M0 -4 L-26 -64 M0 -4 V-68 M0 -4 L26 -64" stroke="#e08e79" stroke-width="5"/>`;
const cake = `<rect x="-52" y="-52" width="104" height="52" rx="10" fill="#f7d6bf"/><path d="M-52 -40 Q-40 -22 -26 -40 T0 -40 T26 -40 T52 -40 V-52 H-52 Z" fill="#f28482"/><path d="M-26 -54 v-24 M0 -54 v-28 M26 -54 v-24" stroke="#7fb7e6" stroke-width="6"/><circle cx="-26" cy="-84" r="6" fill="#ffd95e"/><circle cx="0" cy="-88" r="6" fill="#ffd95e"/><circle cx="26" cy="-84" r="6" fill="#ffd95e"/>`;
const butterfly = `<g transform="rotate(-14)"><ellipse cx="-15" cy="-10" rx="15" ry="18" fill="#f6bd60"/><ellipse cx="15" cy="-10" rx="15" ry="18" fill="#f6bd60"/><ellipse cx="-11" cy="14" rx="11" ry="13" fill="#f28482"/><ellipse cx="11" cy="14" rx="11" ry="13" fill="#f28482"/><rect x="-3" y="-18" width="6" height="40" rx="3" fill="#3a2a33"/></g>`;
const bird = `<path d="M-44 0 Q-22 -26 0 0 Q22 -26 44 0" fill="none" stroke="#3a3a5c" stroke-width="7" stroke-linecap="round"/>`;

export interface Thing {
  words: RegExp;
  svg: string;
}

/** Far away on the land; the first that fits is drawn. */
export const buildings: readonly Thing[] = [
  { words: /\b(lighthouse|leuchtturm|phare|faro)\b/i, svg: lighthouse },
  { words: /\b(castle|palace|knights?|princess|prince|schloss|château|castillo)\b/i, svg: castle },
  { words: /\b(rocket|space|spaceship|astronaut|rakete|weltraum|fusée|cohete|espacio)\b/i, svg: rocket },
  { words: /\b(island|insel|île|isla)\b/i, svg: island },
  { words: /\b(house|home|cottage|village|bedroom|window|haus|maison|casa)\b/i, svg: house },
];
export const vessels: readonly Thing[] = [
  { words: /\braft\b/i, svg: raft },
  { words: /\b(boats?|ships?|pirates?|sail|boot|schiff|bateau|barco|piratas?|piraten)\b/i, svg: boat },
];
/** Held up between the figures. */
export const treasures: readonly Thing[] = [
  { words: /\bcake\b/i, svg: cake },
  { words: /\bballoons?\b/i, svg: balloon },
  { words: /\b(bell|bells)\b/i, svg: bell },
  { words: /\b(shell|shells)\b/i, svg: shell },
  { words: /\b(key|treasure)\b/i, svg: key },
  { words: /\blanterns?\b/i, svg: lantern },
  { words: /\bfallen star\b/i, svg: star },
];
/** In the air. */
export const fliers: readonly Thing[] = [
  { words: /\b(butterfl(?:y|ies)|schmetterling|papillon|mariposa|bees?)\b/i, svg: butterfly },
  { words: /\b(birds?|vogel|oiseau|pájaro)\b/i, svg: bird },
];
export const seaAnimals: readonly Thing[] = [{ words: /\b(whales?|wal|baleine|ballena)\b/i, svg: whale }];
