// Where a picture plays: sky by the time of day, water, land, buildings and small things. SVG pieces for a 1200 x 900 sheet.
import type { Lots } from './storyteller-seed.ts';

export type Time = 'day' | 'morning' | 'sunset' | 'evening' | 'night';

const skies: Readonly<Record<Time, readonly [string, string, string]>> = {
  day: ['#6fc3f0', '#a9dff8', '#e9f8ff'],
  morning: ['#8fcdf0', '#ffe3c2', '#fff4d9'],
  sunset: ['#5d5aa0', '#f08f6b', '#ffd98a'],
  evening: ['#3a3a78', '#a8658f', '#f4b393'],
  night: ['#101c46', '#24356f', '#4a5c9c'],
};

/** From bright noon to night: how much darkness lies over the land, 0 to 1. */
export const shade: Readonly<Record<Time, number>> = {
  day: 0,
  morning: 0.02,
  sunset: 0.12,
  evening: 0.22,
  night: 0.34,
};

/** `lights` is drawn over the shade that darkens the land: the moon is not dimmed by its own night. */
export function sky(time: Time, lots: Lots): { backdrop: string; lights: string } {
  const [top, middle, low] = skies[time];
  const backdrop = `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset=".6" stop-color="${middle}"/><stop offset="1" stop-color="${low}"/></linearGradient></defs>
<rect width="1200" height="900" fill="url(#sky)"/>`;
  const x = lots.between(170, 1030);
  if (time !== 'night' && time !== 'evening') {
    const y = time === 'day' ? lots.between(110, 210) : lots.between(330, 420);
    const sun = `<circle cx="${x}" cy="${y}" r="130" fill="#fff2b8" opacity=".3"/><circle cx="${x}" cy="${y}" r="72" fill="#ffd95e"/>`;
    return { backdrop: backdrop + sun, lights: '' };
  }
  const y = lots.between(90, 150);
  const stars = Array.from({ length: 60 }, () => {
    const r = (1.2 + lots.next() * 2.6).toFixed(1);
    return `<circle cx="${lots.between(0, 1200)}" cy="${lots.between(0, 500)}" r="${r}" fill="#fff8d8" opacity="${(0.6 + lots.next() * 0.4).toFixed(2)}"/>`;
  });
  const lights = `<circle cx="${x}" cy="${y}" r="92" fill="#fff6cf" opacity=".16"/><circle cx="${x}" cy="${y}" r="62" fill="#fff3c4"/><circle cx="${x - 18}" cy="${y - 12}" r="11" fill="#eadfa8"/><circle cx="${x + 22}" cy="${y + 18}" r="8" fill="#eadfa8"/><circle cx="${x + 12}" cy="${y - 28}" r="6" fill="#eadfa8"/>`;
  return { backdrop: backdrop + stars.join(''), lights };
}

export function clouds(lots: Lots, many: boolean, time: Time): string {
  const fill = time === 'night' || time === 'evening' ? '#c3c9e8' : '#ffffff';
  const one = (): string =>
    `<g transform="translate(${lots.between(60, 1100)} ${lots.between(70, 300)}) scale(${(0.6 + lots.next() * 0.8).toFixed(2)})" fill="${fill}" opacity=".78"><ellipse rx="92" ry="26" cy="14"/><circle cx="-36" r="34"/><circle cx="10" cy="-14" r="44"/><circle cx="52" r="30"/></g>`;
  return Array.from({ length: many ? 7 : 3 }, one).join('');
}

export function mountains(lots: Lots): string {
  return [0, 1, 2, 3]
    .map((index) => {
      const x = index * 330 + lots.between(-60, 60);
      const top = lots.between(210, 330);
      const half = lots.between(230, 310);
      const snow = `<path d="M${x} ${top} L${x + half * 0.24} ${top + 88} L${x + 18} ${top + 70} L${x - 14} ${top + 96} L${x - half * 0.22} ${top + 82} Z" fill="#f6f9ff"/>`;
      return `<path d="M${x - half} 640 L${x} ${top} L${x + half} 640 Z" fill="${index % 2 === 0 ? '#7d8fbd' : '#93a4cc'}"/>${snow}`;
    })
    .join('');
}

/** One rolling line of land from edge to edge. `height` is the y of its middle. */
export function hill(lots: Lots, height: number, colour: string): string {
  const dip = (): number => height + lots.between(-46, 46);
  return `<path d="M-10 910 L-10 ${dip()} C200 ${dip() - 60} 330 ${dip() + 50} 600 ${dip()} S960 ${dip() - 50} 1210 ${dip()} L1210 910 Z" fill="${colour}"/>`;
}

export function water(lots: Lots, top: number): string {
  const waves = Array.from({ length: 22 }, () => {
    const x = lots.between(0, 1120);
    const y = lots.between(top + 20, 880);
    return `<path d="M${x} ${y} q18 -12 36 0 t36 0" fill="none" stroke="#d8f3ff" stroke-opacity=".6" stroke-width="4" stroke-linecap="round"/>`;
  });
  return `<rect x="-10" y="${top}" width="1220" height="${910 - top}" fill="#3d8fc4"/><rect x="-10" y="${top}" width="1220" height="36" fill="#8fcdec" opacity=".5"/>${waves.join('')}`;
}

const roundTree = (crown: string): string =>
  `<rect x="-13" y="-86" width="26" height="88" rx="8" fill="#7b5136"/><circle cx="-34" cy="-112" r="48" fill="${crown}"/><circle cx="36" cy="-116" r="46" fill="${crown}"/><circle cx="0" cy="-156" r="56" fill="${crown}"/><circle cx="-16" cy="-168" r="22" fill="#fff" opacity=".12"/>`;
const firTree = (crown: string): string =>
  `<rect x="-10" y="-40" width="20" height="42" fill="#7b5136"/><path d="M-66 -36 L0 -142 L66 -36 Z M-54 -92 L0 -186 L54 -92 Z M-40 -146 L0 -228 L40 -146 Z" fill="${crown}"/>`;

export function trees(lots: Lots, count: number, baseline: number): string {
  const greens = ['#3f8f5b', '#57a566', '#2f7a5a', '#6fae5c'];
  return Array.from({ length: count }, (_, index) => {
    // Left and right in turn, so that the middle stays free for whoever the picture is about.
    const x = index % 2 === 0 ? lots.between(20, 300) : lots.between(900, 1180);
    const draw = lots.pick([roundTree, firTree]);
    const size = (0.7 + lots.next() * 0.6).toFixed(2);
    return `<g transform="translate(${x} ${baseline + lots.between(-30, 30)}) scale(${size})">${draw(lots.pick(greens))}</g>`;
  }).join('');
}

export function flowers(lots: Lots): string {
  const colours = ['#f28482', '#f6bd60', '#f7ede2', '#b88bd6', '#ffafcc'];
  return Array.from({ length: 26 }, () => {
    const colour = lots.pick(colours);
    const petals = [0, 72, 144, 216, 288].map(
      (turn) => `<circle cy="-9" r="7" fill="${colour}" transform="rotate(${turn})"/>`,
    );
    return `<g transform="translate(${lots.between(10, 1190)} ${lots.between(770, 880)})"><path d="M0 0 V26" stroke="#3f7d4d" stroke-width="4"/>${petals.join('')}<circle r="6" fill="#ffe08a"/></g>`;
  }).join('');
}

export const rainbow = ['#f28482', '#f6bd60', '#f7e27d', '#84c98f', '#7fb7e6', '#a78bd0']
  .map(
    (colour, index) =>
      `<path d="M${130 + index * 18} 660 A${470 - index * 18} ${440 - index * 18} 0 0 1 ${1070 - index * 18} 660" fill="none" stroke="${colour}" stroke-width="18" opacity=".7"/>`,
  )
  .join('');
