// From what went wrong to one Failure of the closed set, with a message that never quotes a vendor's free text:
// such text may echo a child's data, and messages reach logs, the board and the engine. Vendor tokens are kept.
import { Failure, type FailureCode } from '../shared/errors.ts';

/** What an adapter knows about an error. `why` is a short phrase of ours or a vendor's token, never its prose. */
export interface Diagnosis {
  code: FailureCode;
  why: string;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  requestId?: string | undefined;
  /** Calls at once that the vendor takes from all of us. */
  maxCalls?: number | undefined;
}

const advice: Record<FailureCode, string> = {
  unavailable: 'it is tried again later',
  timeout: 'it is tried again later',
  rate_limited: 'it is tried again when the provider allows it',
  quota_exhausted: 'raise the quota or the budget at the provider',
  auth: 'check the key of the provider',
  bad_input: 'change the payload; the same call fails again',
  content_blocked: 'change the text; the provider refuses it',
  bad_output: 'try again; the answer cannot be used',
  unknown_outcome: 'it may have been charged; the job tries again',
  cancelled: 'nothing is to be done',
  bug: 'report it with its stack',
};

/** `gemini write-story failed: 503 UNAVAILABLE; it is tried again later`. */
export function toFailure(
  call: { provider: string; gate?: string; operation: string },
  diagnosis: Diagnosis,
): Failure {
  const { code, why, status, retryAfterMs, requestId, maxCalls } = diagnosis;
  const shown = status === undefined ? why : `${status} ${why}`;
  return new Failure(code, `${call.provider} ${call.operation} failed: ${shown}; ${advice[code]}`, {
    provider: call.provider,
    ...(call.gate === undefined ? {} : { gate: call.gate }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(maxCalls === undefined ? {} : { maxCalls }),
  });
}

/** The same failure, with our own word on when to come back. */
export function postponed(
  failure: Failure,
  retryAfterMs: number,
  mark: { breakerOpen?: true } = {},
): Failure {
  return new Failure(failure.code, failure.message, {
    ...mark,
    retryAfterMs,
    cause: failure,
    ...(failure.provider === undefined ? {} : { provider: failure.provider }),
    ...(failure.gate === undefined ? {} : { gate: failure.gate }),
    ...(failure.status === undefined ? {} : { status: failure.status }),
    ...(failure.requestId === undefined ? {} : { requestId: failure.requestId }),
  });
}

/** The same, marked so that the job is snoozed until breaker or gate let a call through. */
export function behindBreaker(failure: Failure, retryAfterMs: number): Failure {
  return postponed(failure, retryAfterMs, { breakerOpen: true });
}

/**
 * The usual meaning of the HTTP status of a refusal; adapters override what their vendor means otherwise. Who redirects an API's
 * call is a proxy or a vendor under repair: that says nothing about the call.
 */
export function codeOfStatus(status: number): FailureCode {
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'quota_exhausted';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status < 400 || status >= 500) return 'unavailable';
  return 'bad_input';
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date. */
export function parseRetryAfter(header: string | null | undefined, nowMs = Date.now()): number | undefined {
  if (header === null || header === undefined || header === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1_000;
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : undefined;
}

/** In ms. Looking again after it costs one call; believing more would let a job expire for a number that makes no sense. */
const longestWaitMs = 3_600_000;

/** How long a wait that somebody asked for is kept: an hour at most; undefined when it is no time at all. */
export function believed(askedMs: number | undefined): number | undefined {
  if (askedMs === undefined || Number.isNaN(askedMs)) return undefined;
  return Math.min(Math.max(askedMs, 0), longestWaitMs);
}

/** A vendor's status word, when it is one: anything longer or freer is prose and is dropped. */
export function token(value: unknown, otherwise = 'no reason given'): string {
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value) ? value : otherwise;
}

/** The name of an error. By name and not by class: an SDK's errors may come from another realm or another copy. */
export function nameOf(error: unknown): string {
  const { name } = Object(error) as { name?: unknown };
  return typeof name === 'string' ? name : typeof error;
}
