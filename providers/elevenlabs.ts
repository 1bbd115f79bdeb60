// ElevenLabs: reads a text aloud, with the time of every character. The only file that knows its SDK (2 s to load, so lazily).
// The charge is taken from the headers of the accepted answer: a body that is cut afterwards has been paid for too.
import type * as Sdk from '@elevenlabs/elevenlabs-js';
import type { Call } from '../shared/call.ts';
import { codeOfStatus, nameOf, parseRetryAfter, toFailure, token, type Diagnosis } from './failure.ts';
import type { Guard } from './guard.ts';
import { lateErrors, watchedFetch, type WatchedFetch } from './http.ts';
import { lazily } from './lazy.ts';
import { mp3Seconds } from './media.ts';
import type { Alignment, ElevenLabs, Speech, SpeechRequest } from './ports.ts';

export interface ElevenLabsOptions {
  apiKey: string;
  baseUrl?: string;
  model: string;
  defaultVoiceId: string;
  guard: Guard;
  /** Milliseconds one attempt may take; default 90 s. */
  deadlineMs?: number;
}

/** Characters per request, by model (vendor's model page, 2025-08; v3 is the strictest). */
const limits: Readonly<Record<string, number>> = {
  eleven_v3: 3_000,
  eleven_multilingual_v2: 10_000,
  eleven_flash_v2_5: 40_000,
  eleven_turbo_v2_5: 40_000,
};

type Open = (watched: WatchedFetch) => Promise<Sdk.ElevenLabsClient>;

function opener(options: ElevenLabsOptions): Open {
  const load = lazily('elevenlabs', (): Promise<typeof Sdk> => import('@elevenlabs/elevenlabs-js'));
  return async (watched) => {
    const sdk = await load();
    return new sdk.ElevenLabsClient({
      apiKey: options.apiKey,
      baseUrl: options.baseUrl ?? 'https://api.elevenlabs.io',
      maxRetries: 0,
      timeoutInSeconds: 600,
      // Its debug log prints the key.
      logging: { silent: true },
      fetch: lateErrors(watched.fetch),
    });
  };
}

/** `detail.status` of the body; validation errors (422) have a list there instead. */
function statusWord(body: unknown): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : undefined;
  const word =
    typeof detail === 'object' && detail !== null && 'status' in detail ? detail.status : undefined;
  return token(word);
}

/** 401 is a bad key or an empty account, 429 too many at once or a busy system: only the word tells. */
function codeOf(status: number, word: string): Diagnosis['code'] {
  if (word === 'quota_exceeded') return 'quota_exhausted';
  if (word === 'system_busy') return 'unavailable';
  if (word === 'max_character_limit_exceeded' || word === 'voice_not_found') return 'bad_input';
  if (/moderation|safety|policy|blocked/.test(word)) return 'content_blocked';
  return codeOfStatus(status);
}

function translator(headers: () => Headers | undefined) {
  return (error: unknown): Diagnosis | undefined => {
    if (nameOf(error) === 'ParseError')
      return { code: 'bad_output', why: 'the answer does not fit its schema' };
    const { statusCode: status, body } = Object(error) as { statusCode?: unknown; body?: unknown };
    if (typeof status !== 'number') return undefined;
    if (status < 300) return { code: 'bad_output', why: 'the answer is not JSON' };
    const why = statusWord(body);
    const requestId = headers()?.get('request-id') ?? undefined;
    const retryAfterMs = parseRetryAfter(headers()?.get('retry-after'));
    return { code: codeOf(status, why), why, status, requestId, retryAfterMs };
  };
}

function charged(request: SpeechRequest, model: string, call: Call) {
  return (headers: Headers) => {
    const requestId = headers.get('request-id');
    const cost = Number(headers.get('character-cost') ?? Number.NaN);
    call.charge({
      provider: 'elevenlabs',
      model,
      usage: [{ unit: 'character', quantity: Number.isFinite(cost) ? cost : request.text.length }],
      ...(requestId === null ? {} : { requestId }),
    });
  };
}

/** multilingual_v2 refuses a language code; v3 refuses the text around. */
function bodyOf(request: SpeechRequest, model: string) {
  const { text, language, previousText, nextText } = request;
  const around = !model.startsWith('eleven_v3');
  return {
    text,
    modelId: model,
    outputFormat: 'mp3_44100_128' as const,
    ...(model.includes('multilingual_v2') ? {} : { languageCode: language.split('-')[0] ?? language }),
    ...(around && previousText !== undefined ? { previousText } : {}),
    ...(around && nextText !== undefined ? { nextText } : {}),
  };
}

interface Timed {
  audioBase64: string;
  alignment?: {
    characters: string[];
    characterStartTimesSeconds: number[];
    characterEndTimesSeconds: number[];
  };
}

/** The speech, or what is wrong with it: an MP3 that was cut, or times that do not belong to it. */
function readSpeech(answer: Timed, model: string): Speech | string {
  const audio = new Uint8Array(Buffer.from(answer.audioBase64, 'base64'));
  const seconds = mp3Seconds(audio);
  if (seconds === undefined) return 'the audio is not a whole MP3';
  const given = answer.alignment;
  if (given === undefined) return 'the answer has no times';
  const alignment: Alignment = {
    characters: given.characters,
    startSeconds: given.characterStartTimesSeconds,
    endSeconds: given.characterEndTimesSeconds,
  };
  const counts = [alignment.startSeconds.length, alignment.endSeconds.length];
  if (counts.some((count) => count !== alignment.characters.length)) return 'the times do not fit the text';
  if ((alignment.endSeconds.at(-1) ?? 0) > seconds + 1) return 'the audio is shorter than its times';
  return { audio, alignment, model };
}

export function createElevenLabs(options: ElevenLabsOptions): ElevenLabs {
  const { guard, model, defaultVoiceId } = options;
  const open = opener(options);
  return {
    maxCharacters: limits[model] ?? 5_000,
    defaultVoiceId,
    async speak(request, call) {
      const watched = watchedFetch(charged(request, model, call));
      const client = await open(watched);
      const translate = translator(watched.headers);
      const attempt = { call, deadlineMs: options.deadlineMs ?? 90_000, paid: true, translate };
      return guard.run('speak', attempt, async ({ signal }) => {
        const answer = await client.textToSpeech.convertWithTimestamps(
          request.voiceId,
          bodyOf(request, model),
          {
            abortSignal: signal,
            headers: { 'x-storytime-step': call.step },
          },
        );
        const speech = readSpeech(answer, model);
        if (typeof speech !== 'string') return speech;
        throw toFailure({ provider: 'elevenlabs', operation: 'speak' }, { code: 'bad_output', why: speech });
      });
    },
    async ping(signal) {
      const watched = watchedFetch();
      const client = await open(watched);
      const attempt = {
        call: { signal },
        deadlineMs: 5_000,
        paid: false,
        translate: translator(watched.headers),
      };
      await guard.once('ping', attempt, (one) => client.voices.getAll({}, { abortSignal: one.signal }));
    },
  };
}
