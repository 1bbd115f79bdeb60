// One request, sent again while that can help: no answer, 429, 502, 503, 504. Everything the client sends may be repeated.
import { ProblemError, type ProblemFacts } from './errors.ts';

export interface Connection {
  url: string;
  key: string;
  /** Stands in for the global fetch. */
  fetch?: typeof fetch;
  /** Limit of one request, in ms. */
  timeoutMs?: number;
  /** No try begins later than this after the first one, in ms; default: up to six are made. */
  patienceMs?: number;
}

export interface RequestFacts {
  path: string;
  /** Sent as JSON with POST; without it the request is a GET. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

const tries = 6;
const passing = new Set([0, 429, 502, 503, 504]);
const longestPauseMs = 10_000;

interface Answer {
  status: number;
  ok: boolean;
  text: string;
  /** What the server asks for, in ms; 0 when it does not. */
  retryAfterMs: number;
}
type Outcome = { answer: Answer } | { error: Error };

/** What is sent, the same at every try. */
interface Message {
  headers: Headers;
  body: string | undefined;
}

/** The answer as JSON. Throws a ProblemError once trying again cannot help or did not. */
export async function request<T>(connection: Connection, facts: RequestFacts): Promise<T> {
  const message: Message = { headers: headersOf(connection, facts), body: textOf(facts) };
  const until = performance.now() + (connection.patienceMs ?? Number.POSITIVE_INFINITY);
  for (let turn = 1; ; turn += 1) {
    const outcome = await once(connection, facts, message);
    const value = valueOf(outcome);
    if (value !== undefined) return value.json as T;
    const pauseMs = pauseAfter(outcome, turn);
    const over = turn === tries || pauseMs > longestPauseMs || performance.now() + pauseMs > until;
    if (over || !mayPass('answer' in outcome ? outcome.answer.status : 0))
      throw problemOf(connection, outcome);
    await sleep(pauseMs, facts.signal);
  }
}

/** Whether another try may do better. The status of a ProblemError; 0 is no answer. */
export function mayPass(status: number): boolean {
  return passing.has(status);
}

/** What cannot be sent is the caller's mistake, and its text may be a secret: it is not repeated. */
function headersOf({ key }: Connection, { body, headers }: RequestFacts): Headers {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return new Headers({ authorization: `Bearer ${key}`, ...type, ...headers });
  } catch {
    const which = ['the API key', ...Object.keys(headers ?? {}).map((name) => `the ${name}`)].join(' or ');
    throw new TypeError(`the request was not sent: ${which} is not one line of plain ASCII text`);
  }
}

/** A payload that is no JSON would be each time, and no server has to do with it. */
function textOf({ body }: RequestFacts): string | undefined {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it cannot be written as JSON';
    throw new TypeError(`the request was not sent: its payload is no JSON: ${why}`, { cause });
  }
}

/** Undefined when there is no good answer in JSON. */
function valueOf(outcome: Outcome): { json: unknown } | undefined {
  if (!('answer' in outcome) || !outcome.answer.ok) return undefined;
  try {
    return { json: JSON.parse(outcome.answer.text) };
  } catch {
    return undefined;
  }
}

/** What the server asks for, or twice as long each time, up to 10 s; an answer that asks for more is not waited for. */
function pauseAfter(outcome: Outcome, turn: number): number {
  const backOffMs = Math.min(longestPauseMs, 100 * 2 ** turn * (0.5 + Math.random() / 2));
  return Math.max(backOffMs, 'answer' in outcome ? outcome.answer.retryAfterMs : 0);
}

/** One try, to the last byte of the answer. The caller's own abort is thrown: it is not a failure to be repeated. */
async function once(
  connection: Connection,
  { path, signal }: RequestFacts,
  { headers, body }: Message,
): Promise<Outcome> {
  signal?.throwIfAborted();
  const limit = limitOf(connection.timeoutMs ?? 10_000, signal);
  try {
    const response = await (connection.fetch ?? fetch)(connection.url.replace(/\/$/, '') + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
      signal: limit.signal,
    });
    const { status, ok } = response;
    const retryAfterMs = (Number(response.headers.get('retry-after')) || 0) * 1_000;
    return { answer: { status, ok, retryAfterMs, text: await response.text() } };
  } catch (thrown) {
    signal?.throwIfAborted();
    return { error: thrown as Error };
  } finally {
    limit.clear();
  }
}

/** A timer cannot be longer: it would fire at once. */
const longestMs = 2_147_483_647;

export interface Limit {
  signal: AbortSignal;
  /** Whether the time was over; false when the caller's signal came first. */
  passed: () => boolean;
  clear: () => void;
}

/** Aborts after `ms`, or with the caller's signal. Not AbortSignal.any: some Nodes collect its parts before they have fired. */
export function limitOf(ms: number, signal: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let passed = false;
  const stop = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(
    () => {
      passed = true;
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    },
    Math.min(ms, longestMs),
  );
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  return {
    signal: controller.signal,
    passed: () => passed,
    clear() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    },
  };
}

function problemOf({ url }: Connection, outcome: Outcome): ProblemError {
  if ('error' in outcome) {
    const why = `${url} does not answer: ${outcome.error.message}; check the address and that the API runs`;
    const facts = { status: 0, code: 'unreachable', detail: `the request failed: ${why}` };
    return new ProblemError(facts, { cause: outcome.error });
  }
  const { status, ok, text } = outcome.answer;
  try {
    const facts = ok ? undefined : factsOf(JSON.parse(text));
    if (facts !== undefined) return new ProblemError({ ...facts, status });
  } catch {
    // told below
  }
  const why = `${url} answered ${status} without ${ok ? 'JSON' : 'a problem document'}; is it the API?`;
  return new ProblemError({ status, code: 'unreadable', detail: `the request failed: ${why}` });
}

/** Undefined when it is somebody else's JSON: a gateway has errors of its own. */
function factsOf(json: unknown): ProblemFacts | undefined {
  const { code, detail, errors, ...rest } = Object(json) as Partial<ProblemFacts>;
  if (typeof code !== 'string') return undefined;
  const told = typeof detail === 'string' ? detail : `the request failed: ${code}`;
  return { status: 0, ...rest, code, detail: told, ...(Array.isArray(errors) && { errors }) };
}

/** Waits, unless the signal aborts first; then throws its reason. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
