// ElevenLabs: reads a text aloud, with the time of every character. The only file that knows its SDK (2 s to load, so lazily).
// The charge is taken from the headers of the accepted answer: a body that is cut afterwards has been paid for too.
// A call that an earlier attempt may have made is looked for in the vendor's history first: what is found costs nothing.
import type * as Sdk from '@elevenlabs/elevenlabs-js';
import type { Call } from '../shared/call.ts';
import { Failure } from '../shared/errors.ts';
import {
  chargeOfEntry,
  findSpoken,
  isStuck,
  lookFrom,
  speechFormat,
  type HistoryEntry,
} from './elevenlabs-history.ts';
import { creditsOf, historyTranslator, readSpeech, readTimes, translator } from './elevenlabs-answer.ts';
import { toFailure } from './failure.ts';
import { outage } from './guard-gate.ts';
import type { Guard } from './guard.ts';
import { lateErrors, watchedFetch, type WatchedFetch } from './http.ts';
import { lazily } from './lazy.ts';
import { mp3Seconds } from './media.ts';
import type { ElevenLabs, Speech, SpeechRequest } from './ports.ts';

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

function longestOf(model: string): number {
  return limits[model] ?? 5_000;
}

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

function charged(request: SpeechRequest, model: string, call: Call) {
  return (headers: Headers) => {
    const requestId = headers.get('request-id');
    const cost = Number(headers.get('character-cost') ?? Number.NaN);
    call.charge({
      provider: 'elevenlabs',
      model,
      usage: [{ unit: 'character', quantity: Number.isFinite(cost) ? cost : creditsOf(request.text, model) }],
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
    outputFormat: speechFormat,
    ...(model.includes('multilingual_v2') ? {} : { languageCode: language.split('-')[0] ?? language }),
    ...(around && previousText !== undefined ? { previousText } : {}),
    ...(around && nextText !== undefined ? { nextText } : {}),
  };
}

/**
 * As base64, with its times: a slow voice takes 2 kB of sound a character. A character has three values, and a fourth when it is
 * a comma; those of the text as it is spoken come beside them, and a number in words is up to eight times as long.
 */
function limitsOf({ text }: SpeechRequest) {
  return { maxBytes: 1_000_000 + text.length * 6_000, maxValues: 1_000 + text.length * 30 };
}

interface Lookup {
  open: Open;
  options: ElevenLabsOptions;
  request: SpeechRequest;
  model: string;
  call: Call;
}

/** Small, for each entry may be the longest text of the model with the times of its characters, twice. */
const pageSize = 10;
/** Of entries of one voice and model since the job was born, newest first; a busier account is not searched to its end. */
const maxPages = 40;
/** No page is asked for later than this, in ms: a long search must not look like a vendor that hangs. */
const searchMs = 20_000;
/** Of a history's entry, for each character of its text. */
const entryBytes = 120;
const entryValues = 12;

function historyLimitsOf({ request, model }: Lookup) {
  const { maxBytes, maxValues } = limitsOf(request);
  const characters = pageSize * longestOf(model);
  return {
    maxBytes: maxBytes + characters * entryBytes,
    maxValues: maxValues + characters * entryValues,
  };
}

/** The entry of the history that holds this speech, when there is one. */
async function lookUp(
  client: Sdk.ElevenLabsClient,
  { request, call, model }: Lookup,
  signal: AbortSignal,
): Promise<HistoryEntry | undefined> {
  const { voiceId } = request;
  const dateAfterUnix = lookFrom(call.mayHaveRunSinceMs ?? 0);
  const query = { pageSize, voiceId, modelId: model, dateAfterUnix, source: 'TTS' as const };
  const until = Date.now() + searchMs;
  let after: string | undefined;
  for (let page = 0; page < maxPages && Date.now() < until; page += 1) {
    const { history, hasMore, lastHistoryItemId } = await client.history.list(
      { ...query, ...(after !== undefined && { startAfterHistoryItemId: after }) },
      { abortSignal: signal },
    );
    const found = findSpoken(history, request, model);
    if (found !== undefined || !hasMore) return found;
    after = lastHistoryItemId;
  }
  return undefined;
}

/**
 * No second look would be better: the account keeps no history, the key may not read it, or its answer is malformed or too
 * large. What was perhaps paid once is then spoken again. Anything else is asked again later.
 */
const unreadable: ReadonlySet<string> = new Set(['bad_input', 'bad_output']);

/** A history that cannot be read for so long, in ms, never can: at most one more charge, and the story is told. */
const patienceMs = 3_600_000;

function isHopeless({ code }: Failure, { mayHaveRunSinceMs = 0 }: Call): boolean {
  return unreadable.has(code) || (outage.has(code) && Date.now() - mayHaveRunSinceMs > patienceMs);
}

/** What an earlier attempt was given and lost; undefined when the vendor has nothing for us, so that it must be paid for. */
async function recover(lookup: Lookup): Promise<Speech | undefined> {
  const { options, request, call, model } = lookup;
  const watched = watchedFetch(historyLimitsOf(lookup));
  const client = await lookup.open(watched);
  const attempt = {
    call,
    deadlineMs: 30_000,
    paid: false,
    proves: false as const,
    translate: historyTranslator(watched),
  };
  try {
    return await options.guard.run('history', attempt, async ({ signal }) => {
      const entry = await lookUp(client, lookup, signal);
      if (entry === undefined) return undefined;
      if (entry.state === 'processing') {
        if (isStuck(entry)) return undefined;
        // No outage, and no fault of the job: it comes back and asks again.
        const why = 'the same text is still being spoken';
        throw toFailure({ provider: 'elevenlabs', operation: 'history' }, { code: 'rate_limited', why });
      }
      const stream = await client.history.getAudio(entry.historyItemId, { abortSignal: signal });
      const audio = new Uint8Array(await new Response(stream).arrayBuffer());
      const seconds = mp3Seconds(audio);
      // Billed whatever it is worth; the attempt that was given it may have had no time to say so.
      call.charge(chargeOfEntry(entry, model));
      if (seconds === undefined) return undefined;
      const alignment = readTimes(entry.alignments?.alignment, request.text, seconds);
      // What a first answer was refused for is no better when it is found again.
      return typeof alignment === 'string' ? undefined : { audio, alignment, model };
    });
  } catch (thrown) {
    if (thrown instanceof Failure && isHopeless(thrown, call)) return undefined;
    throw thrown;
  }
}

export function createElevenLabs(options: ElevenLabsOptions): ElevenLabs {
  const { guard, defaultVoiceId } = options;
  const open = opener(options);
  return {
    maxCharacters: longestOf(options.model),
    defaultVoiceId,
    async speak(request, call) {
      const { model = options.model } = request;
      if (call.mayHaveRunSinceMs !== undefined) {
        const spoken = await recover({ open, options, request, model, call });
        if (spoken !== undefined) return spoken;
      }
      await call.afford('elevenlabs');
      const onAccepted = charged(request, model, call);
      const watched = watchedFetch({ ...limitsOf(request), onAccepted });
      const client = await open(watched);
      const deadlineMs = options.deadlineMs ?? 90_000;
      const attempt = { call, deadlineMs, paid: true, translate: translator(watched) };
      return guard.run('speak', attempt, async ({ signal }) => {
        const answer = await client.textToSpeech.convertWithTimestamps(
          request.voiceId,
          bodyOf(request, model),
          {
            abortSignal: signal,
            headers: { 'x-storytime-step': call.step },
          },
        );
        const speech = readSpeech(answer, request.text, model);
        if (typeof speech !== 'string') return speech;
        throw toFailure({ provider: 'elevenlabs', operation: 'speak' }, { code: 'bad_output', why: speech });
      });
    },
    async ping(signal) {
      const watched = watchedFetch({ maxBytes: 10_000_000, maxValues: 1_000_000 });
      const client = await open(watched);
      const attempt = { call: { signal }, deadlineMs: 5_000, paid: false, translate: translator(watched) };
      await guard.once('ping', attempt, (one) => client.voices.getAll({}, { abortSignal: one.signal }));
    },
  };
}
