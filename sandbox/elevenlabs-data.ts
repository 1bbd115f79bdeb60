// What the ElevenLabs stand-in knows by heart: voices, models, limits, output formats. Ids and limits are the vendor's own.

/** Rachel: a premade voice that every account of the real service has too. */
export const defaultVoiceId = '21m00Tcm4TlvDq8ikWAM';

export interface Voice {
  voice_id: string;
  name: string;
  labels: Record<string, string>;
  /** Middle pitch of our murmur, in Hz. */
  pitchHz: number;
}

export const voices: readonly Voice[] = [
  {
    voice_id: defaultVoiceId,
    name: 'Rachel',
    labels: { accent: 'american', gender: 'female', age: 'young' },
    pitchHz: 205,
  },
  {
    voice_id: 'EXAVITQu4vr4xnSDxMaL',
    name: 'Sarah',
    labels: { accent: 'american', gender: 'female', age: 'young' },
    pitchHz: 225,
  },
  {
    voice_id: 'JBFqnCBsd6RMkjVDRZzb',
    name: 'George',
    labels: { accent: 'british', gender: 'male', age: 'middle_aged' },
    pitchHz: 120,
  },
];

export interface Model {
  model_id: string;
  name: string;
  /** Characters of one request. */
  maximum_text_length_per_request: number;
  /** Credits for one character. */
  character_cost_multiplier: number;
}

export const defaultModelId = 'eleven_multilingual_v2';

export const models: readonly Model[] = [
  {
    model_id: defaultModelId,
    name: 'Eleven Multilingual v2',
    maximum_text_length_per_request: 10_000,
    character_cost_multiplier: 1,
  },
  {
    model_id: 'eleven_v3',
    name: 'Eleven v3',
    maximum_text_length_per_request: 3_000,
    character_cost_multiplier: 1,
  },
  {
    model_id: 'eleven_flash_v2_5',
    name: 'Eleven Flash v2.5',
    maximum_text_length_per_request: 40_000,
    character_cost_multiplier: 0.5,
  },
  {
    model_id: 'eleven_turbo_v2_5',
    name: 'Eleven Turbo v2.5',
    maximum_text_length_per_request: 40_000,
    character_cost_multiplier: 0.5,
  },
];

const known =
  /^(mp3_(22050_32|24000_48|44100_(32|64|96|128|192))|(pcm|wav)_(8000|16000|22050|24000|32000|44100|48000)|[ua]law_8000|opus_48000_(32|64|96|128|192))$/;
export const isKnownFormat = (format: string): boolean => known.test(format);

/** The formats this stand-in can make; the vendor refuses the others on small plans in the same way. */
export const servedFormats = new Map([
  ['mp3_44100_32', 32],
  ['mp3_44100_64', 64],
  ['mp3_44100_96', 96],
  ['mp3_44100_128', 128],
  ['mp3_44100_192', 192],
] as const);
export type ServedFormat = Parameters<typeof servedFormats.get>[0];
export const defaultFormat: ServedFormat = 'mp3_44100_128';

export const concurrencyLimit = 15;
/** Characters of the month. */
export const characterLimit = 2_000_000_000;
