// Cloudinary's shapes: where an account lives, what a rejection means, which links open an upload. Pure.
// Rejections are plain objects in three shapes and may carry the secret, so nothing of them is kept but codes.
import { z } from 'zod';
import { diagnoseNetwork } from './network.ts';
import { codeOfStatus, type Diagnosis } from './failure.ts';
import type { Asset, Upload } from './ports.ts';

export interface CloudinaryAccount {
  cloud: string;
  key: string;
  secret: string;
}

/** Reads `cloudinary://key:secret@cloud`; that no part is missing is checked where the settings are read. */
export function parseCloudinaryUrl(url: string): CloudinaryAccount {
  const { hostname: cloud, username, password } = new URL(url);
  return { cloud, key: decodeURIComponent(username), secret: decodeURIComponent(password) };
}

/** Stored, mailed and opened: nothing but a plain link. */
const link = z
  .string()
  .max(2_000)
  .refine((text) => /^https?:\/\/[^\s\\]+$/.test(text) && URL.canParse(text));
const size = z.int().min(0).max(2_147_483_647);

const answerSchema = z.object({
  public_id: z.string().max(500),
  version: z.number(),
  bytes: size,
  secure_url: link,
  width: size.optional(),
  height: size.optional(),
  eager: z
    .array(z.object({ secure_url: link, width: size.optional() }))
    .max(20)
    .default([]),
});
type Answer = z.output<typeof answerSchema>;

/** The answer to an upload; undefined when it is none. */
export function readAnswer(raw: unknown): Answer | undefined {
  return answerSchema.safeParse(raw).data;
}

export function assetOf(answer: Answer, upload: Upload): Asset {
  const { width, height } = answer;
  return {
    publicId: answer.public_id,
    version: answer.version,
    // The picture as the browser likes it best; sound and captions as they are.
    url:
      upload.type === 'image'
        ? answer.secure_url.replace('/image/upload/', '/image/upload/f_auto,q_auto/')
        : answer.secure_url,
    bytes: answer.bytes,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    variants: (upload.widths ?? []).flatMap((asked, index) => {
      const made = answer.eager[index];
      return made === undefined ? [] : [{ width: made.width ?? asked, url: made.secure_url }];
    }),
  };
}

interface Rejection {
  http_code?: unknown;
  message?: unknown;
}

/** `{message, http_code}`, `{error: Error | {message, http_code}}` and an Error all come to one object. */
function unwrap(rejection: unknown): unknown {
  const inner =
    typeof rejection === 'object' && rejection !== null && 'error' in rejection ? rejection.error : undefined;
  return inner ?? rejection;
}

export function isAccepted(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/**
 * What the SDK rejected with, or gave as a result, over an answer of this status. It knows a refusal by its `error` only, can
 * give no status to an `error` that is a text, and stumbles over some bodies: then the status decides. A connection that was
 * lost after a 2xx stays one.
 */
export function rejectionOf(given: unknown, status: number | undefined): unknown {
  if (status === undefined) return given;
  const error = unwrap(given);
  const { http_code: told, message } = Object(error) as Rejection;
  const known =
    typeof told === 'number' || message === tooLarge || diagnoseNetwork(error, true) !== undefined;
  return isAccepted(status) && known ? given : { message, http_code: status };
}

function codeOf(status: number, message: string): Diagnosis['code'] {
  if (status === 423) return 'unavailable';
  if (status === 420) return /limit of \d+/i.test(message) ? 'quota_exhausted' : 'rate_limited';
  // "File size too large. … Upgrade your plan to enjoy higher limits": one file's size, not what is left of the plan.
  const limits =
    !/too large/i.test(message) && /(plan|account|usage|credit)s? .*(limit|exceeded)/i.test(message);
  return limits && (status === 400 || status === 403) ? 'quota_exhausted' : codeOfStatus(status);
}

/** "Try again on 2026-11-21 06:00:00 UTC": all that is said of the time, for the SDK drops the headers. */
function backInMs(message: string): number | undefined {
  const moment = /try again on ([\d:T.Z -]+?) ?UTC/i.exec(message)?.[1];
  const at = moment === undefined ? Number.NaN : Date.parse(moment.endsWith('Z') ? moment : `${moment}Z`);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** Characters of a message that are looked at: two megabytes of "plan plan" kept this process busy for minutes. */
const mostRead = 500;

/** The message of the error that breaks a connection whose answer is too long. */
export const tooLarge = 'the answer is too large';

/** `paid`: whether the request may have been carried out. 499 is the SDK's own idle timeout. */
export function diagnoseCloudinary(rejection: unknown, paid: boolean): Diagnosis | undefined {
  const error = unwrap(rejection);
  const { http_code: status, message } = Object(error) as Rejection;
  if (message === tooLarge && status === undefined) return { code: 'bad_output', why: tooLarge };
  if (status === 499) return { code: paid ? 'unknown_outcome' : 'timeout', why: 'no answer in time' };
  if (typeof status !== 'number') return diagnoseNetwork(error, paid);
  // The SDK turns a 200 that is not JSON into an error with that status.
  if (status < 300) return { code: 'bad_output', why: 'the answer cannot be read' };
  const text = typeof message === 'string' ? message.slice(0, mostRead) : '';
  return { code: codeOf(status, text), why: 'refused', status, retryAfterMs: backInMs(text) };
}
