// Who narrates: ElevenLabs, or a voice of Deepgram when ElevenLabs cannot. A narration is in one voice from its first word to
// its last, so each has steps of its own; a story without its first choice of voice is better than one that waits for a vendor
// that is out. A deploy in mid-narration may change the voice and the model: what goes on is as its first part was.
import type { Call } from '../../shared/call.ts';
import { Failure, type FailureCode } from '../../shared/errors.ts';
import type { Providers, Speech } from '../../providers/ports.ts';
import type { Job } from '../define.ts';

/** How a part was spoken; kept with it. Of a part that a build before spoke only the model is known. */
export interface Manner {
  /** As its vendor names it. */
  voiceId: string;
  model: string;
  maxCharacters: number;
}

export interface Voice {
  provider: 'elevenlabs' | 'deepgram';
  /** As its vendor names it. */
  id: string;
  maxCharacters: number;
  /** Appended to the names of its steps. */
  suffix: string;
  speak: (text: string, around: { previousText?: string; nextText?: string }, call: Call) => Promise<Speech>;
  /** The voice that goes on from a part spoken in this manner. */
  goOn: (manner: Manner) => Voice;
}

export function firstVoice(
  services: Pick<Providers, 'elevenlabs'>,
  { voiceId, language }: { voiceId?: string | undefined; language: string },
): Voice {
  const { defaultVoiceId, maxCharacters } = services.elevenlabs;
  return elevenlabsVoice(services, language, { voiceId: voiceId ?? defaultVoiceId, maxCharacters });
}

function elevenlabsVoice(
  services: Pick<Providers, 'elevenlabs'>,
  language: string,
  { voiceId, model, maxCharacters }: Omit<Manner, 'model'> & { model?: string },
): Voice {
  const how = { voiceId, language, ...(model !== undefined && { model }) };
  return {
    provider: 'elevenlabs',
    id: voiceId,
    maxCharacters,
    suffix: '',
    speak: (text, around, call) => services.elevenlabs.speak({ text, ...how, ...around }, call),
    goOn: (manner) => elevenlabsVoice(services, language, manner),
  };
}

/** Of the steps of the voice that takes over. */
export const standInSuffix = '-stand-in';

/** The voice that takes over; undefined where nobody else speaks the language. What it has `begun` it ends all the same. */
export function standIn(
  { deepgram }: Pick<Providers, 'deepgram'>,
  language: string,
  begun: boolean,
): Voice | undefined {
  const id = deepgram.voiceFor(language) ?? (begun ? 'that of its first part' : undefined);
  return id === undefined ? undefined : deepgramVoice(deepgram, id, deepgram.maxCharacters);
}

/** The voice is the model. */
function deepgramVoice(deepgram: Providers['deepgram'], id: string, maxCharacters: number): Voice {
  return {
    provider: 'deepgram',
    id,
    maxCharacters,
    suffix: standInSuffix,
    speak: (text, _around, call) => deepgram.speak({ text, voice: id }, call),
    goOn: (manner) => deepgramVoice(deepgram, manner.voiceId, manner.maxCharacters),
  };
}

const away: readonly FailureCode[] = ['unavailable', 'timeout', 'unknown_outcome', 'auth', 'quota_exhausted'];
/**
 * A vendor that fails in this way is out. A voice that is only busy takes its next call in a moment, so it is waited for; the ear
 * only judges what is spoken and paid for, and no story waits a day for that.
 */
const out: Readonly<Record<Voice['provider'], ReadonlySet<FailureCode>>> = {
  elevenlabs: new Set(away),
  deepgram: new Set([...away, 'rate_limited']),
};

/**
 * Whether this vendor will not answer, or was out for long enough. A budget that is used up names no vendor: then nobody is
 * called.
 */
export async function gaveOut(
  thrown: unknown,
  provider: Voice['provider'],
  job: Pick<Job, 'attempt' | 'lastTry' | 'step'>,
): Promise<boolean> {
  if (!(thrown instanceof Failure) || thrown.provider !== provider) return false;
  // A text that one vendor refuses is not carried to the next.
  if (thrown.code === 'content_blocked' || thrown.code === 'cancelled') return false;
  if (thrown.code === 'bad_input' || job.lastTry) return true;
  return out[provider].has(thrown.code) && waitedEnough(provider, job);
}

/** Starts of a job that found its vendor out and waited. */
const patience = 3;

/**
 * Each start that finds the vendor out takes the next free step: when all are taken by earlier ones, it is enough. Starts that
 * found it busy, were interrupted or waited for something else take none.
 */
async function waitedEnough(
  provider: Voice['provider'],
  { attempt, step }: Pick<Job, 'attempt' | 'step'>,
): Promise<boolean> {
  for (let number = 1; number <= patience; number += 1) {
    const taken = await step(`wait-for-${provider}-${number}`, () => Promise.resolve({ attempt }));
    if (taken.attempt === attempt) return false;
  }
  return true;
}
