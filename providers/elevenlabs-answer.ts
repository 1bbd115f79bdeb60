// Reads ElevenLabs' answers and errors: what an error means, and whether a speech is whole and fits its times. Pure.
import { codeOfStatus, parseRetryAfter, token, type Diagnosis } from './failure.ts';
import type { Times } from './elevenlabs-history.ts';
import type { WatchedFetch } from './http.ts';
import { mp3Seconds } from './media.ts';
import type { Alignment, Speech } from './ports.ts';
import { spreadTimes } from './timing.ts';

/**
 * `detail.status` of the body; where that is missing, or only says that something is to be paid, `detail.code`. Validation errors
 * (422) have a list there instead.
 */
function statusWord(body: unknown): string {
  const { detail } = Object(body) as { detail?: unknown };
  const { status, code } = Object(detail) as { status?: unknown; code?: unknown };
  return token(status === 'payment_required' ? (code ?? status) : (status ?? code));
}

/** The key itself is refused, whatever the call asks for; some of these also come with 400 or 403. */
const keyRefused = new Set([
  'invalid_api_key',
  'missing_permissions',
  'needs_authorization',
  'sign_in_required',
  'detected_unusual_activity',
]);

/**
 * 402 is an empty account, but for a voice of the library on a free plan, `paid_plan_required` (read in bug reports, 2026).
 * 401 is a bad key or an empty account, 429 too many at once or a busy system: only the word tells. 403 says that the plan does not
 * cover what this call asks for, most often its voice (`only_for_creator+`): one caller's choice must not close the gate for all.
 */
function codeOf(status: number, word: string): Diagnosis['code'] {
  if (keyRefused.has(word)) return 'auth';
  if (word === 'quota_exceeded') return 'quota_exhausted';
  if (word === 'system_busy') return 'unavailable';
  if (word === 'max_character_limit_exceeded' || word === 'voice_not_found') return 'bad_input';
  if (word === 'paid_plan_required') return 'bad_input';
  if (/moderation|safety|policy|blocked/.test(word)) return 'content_blocked';
  return status === 403 ? 'bad_input' : codeOfStatus(status);
}

/** What the plan allows at once, as the vendor says with a refusal. */
function maxCallsOf(headers: Headers | undefined): number | undefined {
  const said = Number(headers?.get('maximum-concurrent-requests'));
  return said >= 1 ? said : undefined;
}

export function translator(watched: WatchedFetch) {
  return (error: unknown): Diagnosis | undefined => {
    const misread = watched.misread(error);
    if (misread !== undefined) return misread;
    const { statusCode: status, body } = Object(error) as { statusCode?: unknown; body?: unknown };
    if (typeof status !== 'number') return undefined;
    const why = statusWord(body);
    const requestId = watched.headers()?.get('request-id') ?? undefined;
    const retryAfterMs = parseRetryAfter(watched.headers()?.get('retry-after'));
    const maxCalls = why === 'too_many_concurrent_requests' ? maxCallsOf(watched.headers()) : undefined;
    return { code: codeOf(status, why), why, status, requestId, retryAfterMs, maxCalls };
  };
}

/** A key may speak without being allowed to read the history: that is no reason to close the gate for everybody. */
export function historyTranslator(watched: WatchedFetch) {
  const translate = translator(watched);
  return (error: unknown): Diagnosis | undefined => {
    const diagnosis = translate(error);
    return diagnosis?.why === 'missing_permissions' ? { ...diagnosis, code: 'bad_input' } : diagnosis;
  };
}

/** What a text costs in credits, as the header of its speech would say: flash and turbo take half of one a character. */
export function creditsOf(text: string, model: string): number {
  return Math.ceil(Array.from(text).length * (/_(flash|turbo)_/.test(model) ? 0.5 : 1));
}

/** The words without their white space, which may be told otherwise than it was sent. */
function bare(words: string): string {
  return words.replaceAll(/\s/gu, '').normalize('NFC');
}

/**
 * When each character of the text is heard, or what is wrong with the sound. Where the vendor gives no times, or those of
 * another text, they are spread over the sound: it is paid for and good, and captions must not stop in the middle.
 */
export function readTimes(given: Times | undefined, text: string, seconds: number): Alignment | string {
  if (given === undefined) return spreadTimes(text, seconds);
  const alignment: Alignment = {
    characters: given.characters,
    startSeconds: given.characterStartTimesSeconds,
    endSeconds: given.characterEndTimesSeconds,
  };
  const counts = [alignment.startSeconds.length, alignment.endSeconds.length];
  if (counts.some((count) => count !== alignment.characters.length)) return spreadTimes(text, seconds);
  if ((alignment.endSeconds.at(-1) ?? 0) > seconds + 1) return 'the audio is shorter than its times';
  return bare(alignment.characters.join('')) === bare(text) ? alignment : spreadTimes(text, seconds);
}

/** The speech, or what is wrong with it: an MP3 that was cut, or times that do not belong to it. */
export function readSpeech(
  answer: { audioBase64: string; alignment?: Times },
  text: string,
  model: string,
): Speech | string {
  const audio = new Uint8Array(Buffer.from(answer.audioBase64, 'base64'));
  const seconds = mp3Seconds(audio);
  if (seconds === undefined) return 'the audio is not a whole MP3';
  const alignment = readTimes(answer.alignment, text, seconds);
  return typeof alignment === 'string' ? alignment : { audio, alignment, model };
}
