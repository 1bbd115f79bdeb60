// Reads Deepgram's answers and errors: what was heard, what it cost, what an error means. Pure.
import { z } from 'zod';
import type { Charge } from '../shared/call.ts';
import { codeOfStatus, parseRetryAfter, token, type Diagnosis } from './failure.ts';
import type { WatchedFetch } from './http.ts';
import { mp3Seconds } from './media.ts';
import type { Transcript } from './ports.ts';

/** A vendor's own name for something: it becomes a label and a row, so nothing longer or freer is let in. */
const name = z
  .string()
  .regex(/^[\w.:/+-]{1,100}$/)
  .optional()
  .catch(undefined);

const answerSchema = z.object({
  metadata: z.object({
    request_id: name,
    duration: z.number().nonnegative(),
    channels: z.number().int().min(1).default(1),
    model_info: z.record(z.string(), z.object({ arch: name })).optional(),
  }),
  results: z.object({
    channels: z.array(
      z.object({
        alternatives: z.array(
          z.object({
            transcript: z.string(),
          }),
        ),
      }),
    ),
  }),
});
type Answer = z.output<typeof answerSchema>;

/** The answer to a transcription; undefined when it is none. */
export function readAnswer(raw: unknown): Answer | undefined {
  try {
    return answerSchema.safeParse(raw).data;
  } catch {
    // More than some 100,000 faults deep inside are more than zod can report: it overflows the stack.
    return undefined;
  }
}

interface Refused {
  statusCode?: unknown;
  body?: {
    err_code?: unknown;
    category?: unknown;
    err_msg?: unknown;
    message?: unknown;
    request_id?: unknown;
  } | null;
}

/**
 * "Project does not have access to the requested model": one voice, which the language of one story has chosen. It has the same
 * word as a key without rights; only the sentence tells, and the gate must stay open for all other languages and for the ear.
 */
function isOneModel(status: number, body: Refused['body']): boolean {
  const said = body?.err_msg ?? body?.message;
  return status === 403 && typeof said === 'string' && /\bmodel\b/i.test(said);
}

export function translator(watched: WatchedFetch) {
  return (error: unknown): Diagnosis | undefined => {
    const misread = watched.misread(error);
    if (misread !== undefined) return misread;
    const { statusCode: status, body } = Object(error) as Refused;
    if (typeof status !== 'number') return undefined;
    const requestId = token(body?.request_id, '');
    const why = token(body?.err_code ?? body?.category);
    const retryAfterMs = parseRetryAfter(watched.headers()?.get('retry-after'));
    const code = isOneModel(status, body) ? 'bad_input' : codeOfStatus(status);
    const common = { code, why, status, retryAfterMs };
    return requestId === '' ? common : { ...common, requestId };
  };
}

export function modelOf(answer: Answer, asked: string): string {
  return Object.values(answer.metadata.model_info ?? {})[0]?.arch ?? asked;
}

export function chargeOf({ metadata }: Answer, model: string): Charge {
  return {
    provider: 'deepgram',
    model,
    usage: [{ unit: 'second', quantity: metadata.duration * metadata.channels }],
    ...(metadata.request_id === undefined ? {} : { requestId: metadata.request_id }),
  };
}

/** The seconds of a sound whose transcript cannot be read; one that is no MP3 is taken to have its usual 128 kbit/s. */
export function chargeOfSound(bytes: Uint8Array, headers: Headers | undefined, model: string): Charge {
  const requestId = requestIdOf(headers);
  return {
    provider: 'deepgram',
    model,
    usage: [{ unit: 'second', quantity: mp3Seconds(bytes) ?? bytes.length / 16_000 }],
    ...(requestId !== '' && { requestId }),
  };
}

export function readTranscript(answer: Answer, model: string): Transcript {
  const heard = answer.results.channels[0]?.alternatives[0];
  return {
    text: heard?.transcript ?? '',
    durationSeconds: answer.metadata.duration,
    model,
  };
}

/** Aura-2 names its headers otherwise than Aura-1 did. */
function requestIdOf(headers: Headers | undefined): string {
  return token(headers?.get('x-dg-request-id') ?? headers?.get('dg-request-id'), '');
}

export function chargeOfSpeech(headers: Headers, text: string, voice: string): Charge {
  const told = headers.get('x-dg-characters') ?? headers.get('dg-char-count');
  const characters = told === null ? Number.NaN : Number(told);
  const requestId = requestIdOf(headers);
  return {
    provider: 'deepgram',
    model: voice,
    usage: [
      { unit: 'character', quantity: Number.isFinite(characters) ? characters : Array.from(text).length },
    ],
    ...(requestId !== '' && { requestId }),
  };
}
