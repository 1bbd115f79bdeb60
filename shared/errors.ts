// The one closed set of errors. Failure codes describe why an attempt did not succeed (workers/outcome.ts maps them);
// problem codes are what the HTTP API answers (RFC 9457). A message has one form: `what failed: why; what to do`.
import { types } from 'node:util';

/**
 * Why an attempt, or one provider call, failed: code -> what it means, of which docs/errors.md is written. The codes are stored in
 * the ledger and used as a metric label: never add free text.
 */
export const failures = {
  unavailable: 'The provider, or the ledger that a handler reads, is away or answers that it cannot serve.',
  timeout: 'A call that costs nothing, or the attempt as a whole, took longer than its limit.',
  rate_limited: 'The provider wants fewer calls.',
  quota_exhausted: 'The quota at the provider or the budget of the tenant is used up.',
  auth: 'The provider refuses our key.',
  bad_input: 'The payload, or what was made of it, is refused and would be each time.',
  content_blocked: 'The provider refuses to work on this text or picture.',
  bad_output: 'The answer of the provider cannot be used.',
  unknown_outcome: 'A call that costs was left without an answer: it may have been paid for.',
  cancelled: 'The job was cancelled while it ran.',
  bug: 'Anything that a handler throws and that is none of these.',
} as const;
export type FailureCode = keyof typeof failures;

export interface FailureOptions {
  /** Milliseconds the other side asked us to wait before the next call. */
  retryAfterMs?: number;
  /** The provider that refused, when one did. */
  provider?: string;
  /** Which of its gates the call met; default: the one that is called as the provider. */
  gate?: string;
  /** The HTTP or SMTP status of the answer, when there was one. */
  status?: number;
  /** The vendor's own request id, for their support desk. */
  requestId?: string;
  /** The provider's breaker or gate is open: the job is snoozed for `retryAfterMs` and keeps its attempt. */
  breakerOpen?: true;
  /** Calls at once that the provider takes from all of us, when it says so. */
  maxCalls?: number;
  cause?: unknown;
}

/** A failure with a code we know; anything else thrown by a handler counts as `bug`. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;
  readonly provider: string | undefined;
  readonly gate: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly breakerOpen: boolean;
  readonly maxCalls: number | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.provider = options.provider;
    this.gate = options.gate ?? options.provider;
    this.status = options.status;
    this.requestId = options.requestId;
    this.breakerOpen = options.breakerOpen ?? false;
    this.maxCalls = options.maxCalls;
  }
}

/** Problem code -> HTTP status and title; docs/errors.md is written from it. */
export const problems = {
  ambiguous_credentials: [400, 'More than one credential was sent'],
  forbidden_key: [400, 'A forbidden key was sent'],
  idempotency_key_invalid: [400, 'The Idempotency-Key cannot be used'],
  invalid_encoding: [400, 'The body is not valid UTF-8'],
  invalid_id: [400, 'The id is not one of ours'],
  invalid_parameter: [400, 'A query parameter has a value that cannot be used'],
  invalid_request: [400, 'The request cannot be read'],
  json_too_complex: [400, 'The JSON is too deep or too large'],
  malformed_json: [400, 'The body is not JSON'],
  unknown_parameter: [400, 'A query parameter is not known'],
  credentials_expired: [401, 'The key has expired or was revoked'],
  invalid_credentials: [401, 'The key is not valid'],
  link_expired: [401, 'The signed link has expired or was changed'],
  unauthenticated: [401, 'A key is required'],
  csrf_rejected: [403, 'The request came from another site'],
  insufficient_scope: [403, 'The key does not have the scope'],
  artifact_not_found: [404, 'There is no such artifact'],
  job_not_found: [404, 'There is no such job'],
  not_found: [404, 'There is nothing here'],
  provider_not_found: [404, 'There is no such provider'],
  queue_not_found: [404, 'There is no such queue'],
  method_not_allowed: [405, 'The method is not allowed here'],
  request_timeout: [408, 'The request took too long to arrive'],
  invalid_state: [409, 'The job is in another state'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_charset: [415, 'The charset is not supported'],
  unsupported_encoding: [415, 'The content encoding is not supported'],
  unsupported_media_type: [415, 'The content type is not supported'],
  conflicting_fields: [422, 'Two fields exclude each other'],
  idempotency_key_reused: [422, 'The Idempotency-Key was used for another request'],
  invalid_characters: [422, 'A text holds characters that cannot be stored'],
  invalid_email: [422, 'An e-mail address is not acceptable'],
  object_required: [422, 'A JSON object is required'],
  unknown_field: [422, 'A field is not known'],
  unknown_kind: [422, 'The kind is not known'],
  unknown_template: [422, 'The template is not known'],
  unsafe_number: [422, 'A number cannot be stored exactly'],
  url_not_allowed: [422, 'The link is not allowed'],
  validation_failed: [422, 'The request is not valid'],
  auth_throttled: [429, 'Too many wrong keys came from this address'],
  rate_limited: [429, 'Too many requests'],
  spend_limit_reached: [429, 'The budget of the day is used up'],
  headers_too_large: [431, 'The header block is too large'],
  internal: [500, 'Something failed on our side'],
  engine_unavailable: [503, 'The engine cannot be reached'],
  ledger_unavailable: [503, 'The ledger cannot be reached'],
  shutting_down: [503, 'This server is stopping'],
} as const satisfies Record<string, readonly [status: number, title: string]>;
export type ProblemCode = keyof typeof problems;

/** One thing wrong with a request: JSON Pointer into the body, a problem code, a sentence. */
export interface FieldError {
  pointer: string;
  code: ProblemCode;
  message: string;
}

export interface ProblemOptions {
  errors?: readonly FieldError[];
  details?: Readonly<Record<string, unknown>>;
  /** Seconds, sent as Retry-After. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An answer other than success, thrown anywhere below a route and written once by the API's error middleware. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problems[this.code][0];
  }
}

/** Every problem of a configuration, to be shown at once; the process exits 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(found: readonly string[]) {
    super(`the configuration cannot be used:\n${found.map((line) => `  - ${line}`).join('\n')}`);
    this.problems = found;
  }
}

/** This build and the database's schema do not go together; the process exits 6, and starting it again changes nothing. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused';
}

/** Whatever was thrown, as an Error: `throw undefined` and `throw 'text'` included. */
export function toError(thrown: unknown): Error {
  // An error of another realm (a vm context, as under Jest) is no instance of this one's Error, yet has its code.
  if (thrown instanceof Error || types.isNativeError(thrown)) return saying(thrown);
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown)
    return new Error(textOf(thrown.message));
  return new Error(`something that is not an Error was thrown: ${textOf(thrown)}`);
}

/** A host of several addresses that are all refused gives one error without a text, which holds one for each address. */
function saying<Thrown extends Error>(error: Thrown): Thrown {
  const inner: unknown = error.message === '' && 'errors' in error ? error.errors : undefined;
  if (Array.isArray(inner) && inner.length > 0) Reflect.set(error, 'message', toError(inner[0]).message);
  return error;
}

/** An object without a prototype, or with a toString that throws, has no text; judging it must not throw again. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without a text';
  }
}
