// A murmur that could be a voice: one vowel at one pitch, as 16-bit PCM at 44.1 kHz. Deterministic: no clock, no chance.
// Each sound begins and ends in silence, so encoded sounds can be laid one after the other without a click.

export const sampleRateHz = 44_100;

/** Centre of the first three resonances of the mouth, in Hz, for a child's storyteller. */
const formants = {
  a: [800, 1250, 2700],
  e: [520, 2000, 2750],
  i: [330, 2400, 3100],
  o: [500, 900, 2650],
  u: [350, 780, 2450],
} as const;
export type Vowel = keyof typeof formants;
export const vowels = Object.keys(formants) as Vowel[];

const tableSize = 2048;
const loudness = 7_000;
const attackSamples = 700;
const releaseSamples = 1_500;

/** One period of the voice: harmonics of the pitch, each as loud as the mouth lets it through. */
function period(vowel: Vowel, pitchHz: number): Float32Array {
  const table = new Float32Array(tableSize);
  for (let harmonic = 1; harmonic * pitchHz < 4_000; harmonic += 1) {
    const hz = harmonic * pitchHz;
    const open = formants[vowel].reduce((sum, centre, index) => {
      const width = 90 + 40 * index;
      return sum + 0.7 ** index / (1 + ((hz - centre) / width) ** 2);
    }, 0.04);
    const level = open / harmonic ** 0.4;
    for (let at = 0; at < tableSize; at += 1) {
      table[at] = (table[at] ?? 0) + level * Math.sin((2 * Math.PI * harmonic * at) / tableSize);
    }
  }
  const peak = table.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return table.map((value) => value / peak);
}

function envelope(at: number, samples: number): number {
  const left = samples - 120 - at;
  if (left <= 0) return 0;
  const rise = Math.min(1, at / attackSamples);
  const fall = Math.min(1, left / releaseSamples);
  return Math.sin((Math.PI / 2) * rise) ** 2 * Math.sin((Math.PI / 2) * fall) ** 2;
}

const periods = new Map<string, Float32Array>();

function periodOf(vowel: Vowel, pitchHz: number): Float32Array {
  const key = `${vowel} ${pitchHz}`;
  const table = periods.get(key) ?? period(vowel, pitchHz);
  periods.set(key, table);
  return table;
}

/** `samples` of PCM: the vowel, gliding down a little as speech does. */
export function vowelSound(vowel: Vowel, pitchHz: number, samples: number): Int16Array {
  const table = periodOf(vowel, pitchHz);
  const sound = new Int16Array(samples);
  let phase = 0;
  for (let at = 0; at < samples; at += 1) {
    const glide = 1.03 - (0.07 * at) / samples + 0.006 * Math.sin((2 * Math.PI * 5.5 * at) / sampleRateHz);
    phase = (phase + (tableSize * pitchHz * glide) / sampleRateHz) % tableSize;
    sound[at] = Math.round(loudness * envelope(at, samples) * (table[Math.floor(phase)] ?? 0));
  }
  return sound;
}
