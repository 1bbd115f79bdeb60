// Reads Gemini's answers and errors: what was used, whether it was refused, what an error means. Pure.
// Gemini refuses with status 200: nothing throws, so finishReason and blockReason are looked at before the text.
import { z } from 'zod';
import type { Charge, Usage } from '../shared/call.ts';
import { codeOfStatus, parseRetryAfter, token, type Diagnosis } from './failure.ts';
import type { WatchedFetch } from './http.ts';

const text = z.string().optional().catch(undefined);
const count = z.number().nonnegative().optional().catch(undefined);
/** A vendor's own name for something: it becomes a label and a row, so nothing longer or freer is let in. */
const name = z
  .string()
  .regex(/^[\w.:/+-]{1,100}$/)
  .optional()
  .catch(undefined);

const partSchema = z
  .object({
    text,
    thought: z.boolean().optional().catch(undefined),
    inlineData: z.object({ data: text, mimeType: text }).optional().catch(undefined),
  })
  .catch({});

/** The first so many of a list; the rest is not looked at, for each element of a bad one would take its time. */
const first = <Schema extends z.ZodType>(most: number, schema: Schema) =>
  z
    .custom<unknown[]>(Array.isArray)
    .transform((list) => list.slice(0, most))
    .pipe(z.array(schema));

/** A story is one part, a picture two or three. */
const contentSchema = z.object({ parts: first(20, partSchema).catch([]) });

/** The part of the vendor's answer that is read here (v1beta generateContent). What does not fit is as good as absent. */
const answerSchema = z
  .object({
    candidates: first(
      1,
      z.object({ content: contentSchema.optional().catch(undefined), finishReason: text }).catch({}),
    )
      .optional()
      .catch(undefined),
    promptFeedback: z.object({ blockReason: text }).optional().catch(undefined),
    usageMetadata: z
      .object({ promptTokenCount: count, candidatesTokenCount: count, thoughtsTokenCount: count })
      .optional()
      .catch(undefined),
    modelVersion: name,
    responseId: name,
  })
  .catch({});

export type GeminiAnswer = z.output<typeof answerSchema>;
type GeminiPart = z.output<typeof partSchema>;

export function readAnswer(raw: unknown): GeminiAnswer {
  return answerSchema.parse(raw);
}

const refusals = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** Why the answer cannot be used; undefined when it was finished properly. */
export function refusalOf(answer: GeminiAnswer): Diagnosis | undefined {
  const blocked = answer.promptFeedback?.blockReason;
  if (blocked !== undefined)
    return { code: 'content_blocked', why: `the prompt was blocked (${token(blocked)})` };
  const candidate = answer.candidates?.[0];
  if (candidate === undefined) return { code: 'bad_output', why: 'the answer has no candidate' };
  const reason = candidate.finishReason ?? 'STOP';
  if (reason === 'STOP') return undefined;
  const code = refusals.has(reason) ? 'content_blocked' : 'bad_output';
  return { code, why: `the answer ended with ${token(reason)}` };
}

/** The parts that are the answer; what the model thought aloud is left out. */
export function partsOf(answer: GeminiAnswer): GeminiPart[] {
  return (answer.candidates?.[0]?.content?.parts ?? []).filter((part) => part.thought !== true);
}

/** Thinking is billed as output. A picture is reported both as its tokens and as one image. */
export function chargeOf(answer: GeminiAnswer, askedModel: string): Charge {
  const used = answer.usageMetadata ?? {};
  const images = partsOf(answer).filter((part) => part.inlineData !== undefined).length;
  const usage = [
    { unit: 'input_token', quantity: used.promptTokenCount ?? 0 },
    { unit: 'output_token', quantity: (used.candidatesTokenCount ?? 0) + (used.thoughtsTokenCount ?? 0) },
    { unit: 'image', quantity: images },
  ].filter(({ quantity }) => quantity > 0);
  return {
    provider: 'gemini',
    model: answer.modelVersion ?? askedModel,
    usage,
    ...(answer.responseId === undefined ? {} : { requestId: answer.responseId }),
  };
}

/** About four characters a token, as Google says of English. */
export function tokensOf(words: string): number {
  return Math.ceil(words.length / 4);
}

/** What the answer says it used; `usual` where it says nothing, for it was billed all the same. */
export function chargeOrUsual(answer: GeminiAnswer, askedModel: string, usual: readonly Usage[]): Charge {
  const charge = chargeOf(answer, askedModel);
  return charge.usage.length > 0 ? charge : { ...charge, usage: usual };
}

interface ErrorBody {
  error?: { status?: unknown; message?: unknown; details?: unknown };
}

function bodyOf(message: unknown): NonNullable<ErrorBody['error']> {
  try {
    return (JSON.parse(String(message)) as ErrorBody | null)?.error ?? {};
  } catch {
    return {};
  }
}

interface Detail {
  reason?: unknown;
  retryDelay?: unknown;
  violations?: unknown;
}

function isDetail(given: unknown): given is Detail {
  return typeof given === 'object' && given !== null;
}

function delayMs(retryDelay: unknown): number | undefined {
  const seconds = typeof retryDelay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1] : undefined;
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
}

function exhausted(details: readonly Detail[], message: unknown): boolean {
  const violations = details.flatMap((detail) =>
    Array.isArray(detail.violations) ? (detail.violations as unknown[]) : [],
  );
  const perDay = violations.some(
    (violation) =>
      isDetail(violation) && 'quotaId' in violation && String(violation.quotaId).includes('PerDay'),
  );
  // The usual text of a limit a minute speaks of billing, too: it counts only where nothing more exact was said.
  const exact = violations.length > 0 || details.some(({ retryDelay }) => delayMs(retryDelay) !== undefined);
  if (perDay || exact) return perDay;
  return typeof message === 'string' && /billing|spend(ing)? (cap|limit)/i.test(message);
}

/** A bad key is status 400 here, and a daily quota looks like a rate limit until its details are read. */
function codeOf(status: number, details: readonly Detail[], message: unknown): Diagnosis['code'] {
  if (details.some(({ reason }) => reason === 'API_KEY_INVALID')) return 'auth';
  if ((status === 429 || status === 403) && exhausted(details, message)) return 'quota_exhausted';
  return codeOfStatus(status);
}

/** `watched` knows the headers of the refused answer, which the SDK's error does not carry. */
export function geminiTranslator(watched: Pick<WatchedFetch, 'headers' | 'misread'>) {
  return (error: unknown): Diagnosis | undefined => {
    // The SDK parses a 200 before anyone can look at it: whatever it stumbles over is a bad answer, not a bug of ours.
    const misread = watched.misread(error);
    if (misread !== undefined) return misread;
    const { status, message } = Object(error) as { status?: unknown; message?: unknown };
    if (typeof status !== 'number') return undefined;
    const body = bodyOf(message);
    const details = Array.isArray(body.details) ? (body.details as unknown[]).filter(isDetail) : [];
    const delay = details.map(({ retryDelay }) => delayMs(retryDelay)).find((ms) => ms !== undefined);
    return {
      code: codeOf(status, details, body.message),
      why: token(body.status),
      status,
      retryAfterMs: delay ?? parseRetryAfter(watched.headers()?.get('retry-after')),
    };
  };
}
