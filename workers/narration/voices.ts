// Who narrates: ElevenLabs, or a voice of Deepgram when ElevenLabs cannot. A narration is in one voice from its first word to
// its last, so each has steps of its own; a story without its first choice of voice is better than one that waits for days.
import type { Call } from '../../shared/call.ts';
import { Failure } from '../../shared/errors.ts';
import type { Providers, Speech } from '../../providers/ports.ts';
import type { Job } from '../define.ts';

export interface Voice {
  provider: 'elevenlabs' | 'deepgram';
  /** As its vendor names it. */
  id: string;
  maxCharacters: number;
  /** Appended to the names of its steps. */
  suffix: string;
  speak: (text: string, around: { previousText?: string; nextText?: string }, call: Call) => Promise<Speech>;
}

export function firstVoice(
  { elevenlabs }: Pick<Providers, 'elevenlabs'>,
  { voiceId = elevenlabs.defaultVoiceId, language }: { voiceId?: string | undefined; language: string },
): Voice {
  return {
    provider: 'elevenlabs',
    id: voiceId,
    maxCharacters: elevenlabs.maxCharacters,
    suffix: '',
    speak: (text, around, call) => elevenlabs.speak({ text, voiceId, language, ...around }, call),
  };
}

/** Starts of a job that wait for a vendor: a closed gate, an empty account, a rate limit. */
const patience = 3;

/** The voice that takes over after this failure; undefined: the failure stands, and the job waits or ends by it. */
export function standIn(
  thrown: unknown,
  job: Pick<Job, 'attempt' | 'lastTry'>,
  { deepgram }: Pick<Providers, 'deepgram'>,
  language: string,
): Voice | undefined {
  const id = deepgram.voiceFor(language);
  if (id === undefined || !gaveOut(thrown, 'elevenlabs', job)) return undefined;
  return {
    provider: 'deepgram',
    id,
    maxCharacters: deepgram.maxCharacters,
    suffix: '-stand-in',
    speak: (text, _around, call) => deepgram.speak({ text, voice: id }, call),
  };
}

/**
 * Whether this vendor will not answer, or has been waited for long enough. A budget that is used up names no vendor: then
 * nobody is called.
 */
export function gaveOut(
  thrown: unknown,
  provider: Voice['provider'],
  { attempt, lastTry }: Pick<Job, 'attempt' | 'lastTry'>,
): boolean {
  if (!(thrown instanceof Failure) || thrown.provider !== provider) return false;
  // A text that one vendor refuses is not carried to the next.
  if (thrown.code === 'content_blocked' || thrown.code === 'cancelled') return false;
  return thrown.code === 'bad_input' || lastTry || attempt > patience;
}
