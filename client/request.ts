// One request, sent again while that can help: no answer, 429, 502, 503, 504. Everything the client sends may be repeated.
import { ProblemError, type ProblemFacts } from './errors.ts';

export interface Connection {
  url: string;
  key: string;
  /** Stands in for the global fetch. */
  fetch?: typeof fetch;
  /** Limit of one request, in ms. */
  timeoutMs?: number;
}

export interface RequestFacts {
  path: string;
  /** Sent as JSON with POST; without it the request is a GET. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

const tries = 6;
const passing = new Set([429, 502, 503, 504]);
const longestPauseMs = 10_000;

type Outcome = { response: Response } | { error: Error };

/** The answer as JSON. Throws a ProblemError once trying again cannot help or did not. */
export async function request<T>(connection: Connection, facts: RequestFacts): Promise<T> {
  for (let turn = 1; ; turn += 1) {
    const outcome = await once(connection, facts);
    if ('response' in outcome && outcome.response.ok) return (await outcome.response.json()) as T;
    if (turn === tries || !mayPass(outcome)) throw await problemOf(connection, outcome);
    await sleep(pauseAfter(outcome, turn), facts.signal);
  }
}

function mayPass(outcome: Outcome): boolean {
  return 'error' in outcome || passing.has(outcome.response.status);
}

/** What the server asked for, or twice as long each time; never longer than 10 s. */
function pauseAfter(outcome: Outcome, turn: number): number {
  const header = 'response' in outcome ? Number(outcome.response.headers.get('retry-after')) : 0;
  const backOffMs = 100 * 2 ** turn * (0.5 + Math.random() / 2);
  return Math.min(longestPauseMs, Math.max(backOffMs, (header || 0) * 1_000));
}

/** The caller's own abort is thrown: it is not a failure to be repeated. */
async function once(connection: Connection, facts: RequestFacts): Promise<Outcome> {
  const { signal, body } = facts;
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(connection.timeoutMs ?? 10_000);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    const response = await (connection.fetch ?? fetch)(connection.url.replace(/\/$/, '') + facts.path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${connection.key}`, ...type, ...facts.headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    return { response };
  } catch (thrown) {
    signal?.throwIfAborted();
    return { error: thrown as Error };
  }
}

async function problemOf({ url }: Connection, outcome: Outcome): Promise<ProblemError> {
  if ('error' in outcome) {
    const why = `${url} does not answer: ${outcome.error.message}; check the address and that the API runs`;
    const facts = { status: 0, code: 'unreachable', detail: `the request failed: ${why}` };
    return new ProblemError(facts, { cause: outcome.error });
  }
  const { status } = outcome.response;
  try {
    return new ProblemError({ ...((await outcome.response.json()) as ProblemFacts), status });
  } catch {
    const why = `${url} answered ${status} without a problem document; is it the API?`;
    return new ProblemError({ status, code: 'unreadable', detail: `the request failed: ${why}` });
  }
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
