// Deepgram: hears a narration and says what it heard, as an independent check; and speaks where ElevenLabs cannot. The only
// file that knows @deepgram/sdk. Silence is an answer, not an error. Numbers are left as spoken, to be compared with the text.
import type * as Module from '@deepgram/sdk';
import type { Failure } from '../shared/errors.ts';
import {
  chargeOf,
  chargeOfSound,
  chargeOfSpeech,
  modelOf,
  readAnswer,
  readTranscript,
  translator,
} from './deepgram-answer.ts';
import { toFailure } from './failure.ts';
import type { Guard } from './guard.ts';
import { billed, lateErrors, watchedFetch, type WatchedFetch } from './http.ts';
import { lazily } from './lazy.ts';
import { mp3Seconds } from './media.ts';
import type { Deepgram } from './ports.ts';
import { spreadTimes } from './timing.ts';

export interface DeepgramOptions {
  apiKey: string;
  baseUrl?: string;
  model: string;
  /** Voices that stand in for ElevenLabs, one a language. */
  voices?: readonly string[];
  guard: Guard;
  /** Milliseconds one attempt may take; default 60 s. */
  deadlineMs?: number;
}

type Open = (watched: WatchedFetch) => Promise<Module.DeepgramClient>;

function opener(options: DeepgramOptions): Open {
  const load = lazily('deepgram', (): Promise<typeof Module> => import('@deepgram/sdk'));
  return async (watched) => {
    const sdk = await load();
    return new sdk.DeepgramClient({
      apiKey: options.apiKey,
      baseUrl: options.baseUrl ?? 'https://api.deepgram.com',
      maxRetries: 0,
      timeoutInSeconds: 600,
      logging: { silent: true },
      fetch: lateErrors(watched.fetch),
    });
  };
}

function unusable(operation: string, why: string): Failure {
  return toFailure({ provider: 'deepgram', operation }, { code: 'bad_output', why });
}

/** A voice ends with its language: `aura-2-thalia-en`. */
function voiceFor(voices: readonly string[], language: string): string | undefined {
  return voices.find((voice) => voice.endsWith(`-${language.split('-')[0] ?? language}`));
}

const usualDeadlineMs = 60_000;
/** The longest story has 48,000 characters, which may be a word each; a word is told in six values. */
const mostHeard = { maxBytes: 8_000_000, maxValues: 500_000 };

function transcriber(options: DeepgramOptions, open: Open): Deepgram['transcribe'] {
  const { guard, deadlineMs = usualDeadlineMs } = options;
  return async ({ bytes, contentType, language }, call) => {
    await call.afford('deepgram');
    const watched = watchedFetch(mostHeard);
    const { listen } = await open(watched);
    const attempt = { call, deadlineMs, paid: true, translate: translator(watched) };
    const chargeEstimate = (): void => call.charge(chargeOfSound(bytes, watched.headers(), options.model));
    return guard.run('transcribe', attempt, async ({ signal }) => {
      const asked = listen.v1.media.transcribeFile(
        { data: bytes, contentType },
        { model: options.model, language: language.split('-')[0] ?? language, punctuate: true },
        { abortSignal: signal, headers: { 'x-storytime-step': call.step } },
      );
      const answer = readAnswer(await billed<unknown>(watched, asked, chargeEstimate));
      if (answer === undefined) {
        chargeEstimate();
        throw unusable('transcribe', 'the answer does not fit its schema');
      }
      const model = modelOf(answer, options.model);
      call.charge(chargeOf(answer, model));
      return readTranscript(answer, model);
    });
  };
}

function speaker(options: DeepgramOptions, open: Open): Deepgram['speak'] {
  const { guard, deadlineMs = usualDeadlineMs } = options;
  return async ({ text, voice }, call) => {
    await call.afford('deepgram');
    const onAccepted = (headers: Headers): void => call.charge(chargeOfSpeech(headers, text, voice));
    const watched = watchedFetch({ maxBytes: 1_000_000 + text.length * 3_000, onAccepted });
    const { speak } = await open(watched);
    const attempt = { call, deadlineMs, paid: true, translate: translator(watched) };
    return guard.run('speak', attempt, async ({ signal }) => {
      const answer = await speak.v1.audio.generate(
        { text, model: voice, encoding: 'mp3', bit_rate: 48_000 },
        { abortSignal: signal, headers: { 'x-storytime-step': call.step } },
      );
      const audio = new Uint8Array(await answer.arrayBuffer());
      const seconds = mp3Seconds(audio);
      if (seconds === undefined) throw unusable('speak', 'the audio is not a whole MP3');
      return { audio, alignment: spreadTimes(text, seconds), model: voice };
    });
  };
}

export function createDeepgram(options: DeepgramOptions): Deepgram {
  const open = opener(options);
  return {
    maxCharacters: 2_000,
    voiceFor: (language) => voiceFor(options.voices ?? [], language),
    transcribe: transcriber(options, open),
    speak: speaker(options, open),
    async ping(signal) {
      const watched = watchedFetch({ maxBytes: 1_000_000, maxValues: 50_000 });
      const { manage } = await open(watched);
      const attempt = { call: { signal }, deadlineMs: 5_000, paid: false, translate: translator(watched) };
      await options.guard.once('ping', attempt, (one) =>
        manage.v1.projects.list({ abortSignal: one.signal }),
      );
    },
  };
}
