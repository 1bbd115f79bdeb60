// Deepgram: hears a narration and says what it heard, as an independent check. The only file that knows @deepgram/sdk.
// Silence is an answer, not an error. Numbers are left as spoken, so that they can be compared with the text.
import type { DeepgramClient } from '@deepgram/sdk';
import { z } from 'zod';
import type { Charge } from '../shared/call.ts';
import { codeOfStatus, parseRetryAfter, toFailure, token, type Diagnosis } from './failure.ts';
import type { Guard } from './guard.ts';
import { lateErrors } from './http.ts';
import { lazily } from './lazy.ts';
import type { Deepgram, Transcript } from './ports.ts';

export interface DeepgramOptions {
  apiKey: string;
  baseUrl?: string;
  model: string;
  guard: Guard;
  /** Milliseconds one attempt may take; default 60 s. */
  deadlineMs?: number;
}

const answerSchema = z.object({
  metadata: z.object({
    request_id: z.string().optional(),
    duration: z.number().nonnegative(),
    channels: z.number().int().min(1).default(1),
    model_info: z.record(z.string(), z.object({ arch: z.string().optional() })).optional(),
  }),
  results: z.object({
    channels: z.array(
      z.object({
        alternatives: z.array(
          z.object({
            transcript: z.string(),
            words: z
              .array(
                z.object({
                  word: z.string(),
                  start: z.number(),
                  end: z.number(),
                }),
              )
              .default([]),
          }),
        ),
      }),
    ),
  }),
});
type Answer = z.output<typeof answerSchema>;

async function load(options: DeepgramOptions): Promise<DeepgramClient> {
  const sdk = await import('@deepgram/sdk');
  return new sdk.DeepgramClient({
    apiKey: options.apiKey,
    baseUrl: options.baseUrl ?? 'https://api.deepgram.com',
    maxRetries: 0,
    timeoutInSeconds: 600,
    logging: { silent: true },
    fetch: lateErrors(fetch),
  });
}

interface Refused {
  statusCode?: unknown;
  body?: { err_code?: unknown; category?: unknown; request_id?: unknown } | null;
  rawResponse?: { headers?: Headers };
}

function diagnose(error: unknown): Diagnosis | undefined {
  const { statusCode: status, body, rawResponse } = Object(error) as Refused;
  if (typeof status !== 'number') return undefined;
  if (status < 300) return { code: 'bad_output', why: 'the answer is not JSON' };
  const requestId = typeof body?.request_id === 'string' ? body.request_id : undefined;
  const why = token(body?.err_code ?? body?.category);
  return { code: codeOfStatus(status), why, status, requestId, retryAfterMs: backIn(rawResponse) };
}

function backIn(response: Refused['rawResponse']): number | undefined {
  return parseRetryAfter(response?.headers?.get('retry-after'));
}

function modelOf(answer: Answer, asked: string): string {
  return Object.values(answer.metadata.model_info ?? {})[0]?.arch ?? asked;
}

function chargeOf({ metadata }: Answer, model: string): Charge {
  return {
    provider: 'deepgram',
    model,
    usage: [{ unit: 'second', quantity: metadata.duration * metadata.channels }],
    ...(metadata.request_id === undefined ? {} : { requestId: metadata.request_id }),
  };
}

function readTranscript(answer: Answer, model: string): Transcript {
  const heard = answer.results.channels[0]?.alternatives[0];
  return {
    text: heard?.transcript ?? '',
    words: (heard?.words ?? []).map(({ word, start, end }) => ({
      word,
      startSeconds: start,
      endSeconds: end,
    })),
    durationSeconds: answer.metadata.duration,
    model,
  };
}

export function createDeepgram(options: DeepgramOptions): Deepgram {
  const { guard } = options;
  const client = lazily('deepgram', () => load(options));
  return {
    async transcribe({ bytes, contentType, language }, call) {
      await call.afford('deepgram');
      const { listen } = await client();
      const attempt = { call, deadlineMs: options.deadlineMs ?? 60_000, paid: true, translate: diagnose };
      return guard.run('transcribe', attempt, async ({ signal }) => {
        const raw: unknown = await listen.v1.media.transcribeFile(
          { data: bytes, contentType },
          { model: options.model, language: language.split('-')[0] ?? language, punctuate: true },
          { abortSignal: signal, headers: { 'x-storytime-step': call.step } },
        );
        const answer = answerSchema.safeParse(raw);
        if (!answer.success) {
          const why = 'the answer does not fit its schema';
          throw toFailure({ provider: 'deepgram', operation: 'transcribe' }, { code: 'bad_output', why });
        }
        const model = modelOf(answer.data, options.model);
        call.charge(chargeOf(answer.data, model));
        return readTranscript(answer.data, model);
      });
    },
    async ping(signal) {
      const { manage } = await client();
      const attempt = { call: { signal }, deadlineMs: 5_000, paid: false, translate: diagnose };
      await guard.once('ping', attempt, (one) => manage.v1.projects.list({ abortSignal: one.signal }));
    },
  };
}
