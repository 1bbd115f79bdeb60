// The fetch that is handed to the SDKs: theirs hide the headers of an answer, and headers say when to come back and what it
// cost; and theirs read an answer of any size into memory, which one bad day of a vendor would turn into our crash.
import { codeOfStatus, parseRetryAfter, type Diagnosis } from './failure.ts';
import { diagnoseNetwork } from './network.ts';

export interface WatchedFetch {
  fetch: typeof fetch;
  /** The headers of the last answer, whatever its status. */
  headers: () => Headers | undefined;
  /** Whether the last request was accepted: from then on it is paid, whatever becomes of its answer. */
  accepted: () => boolean;
  /**
   * What an error means that came after an accepted answer, or after a refusal that the SDK could not read; undefined when there
   * was no answer, when the connection was lost, or when the error has a status.
   */
  misread: (error: unknown) => Diagnosis | undefined;
}

export interface WatchOptions {
  /** Bytes of one answer; what is longer is cut off and cannot be used. */
  maxBytes: number;
  /** Values in one answer of JSON, whose reading takes time and memory for each of them; what has more is cut off, too. */
  maxValues?: number;
  /** Told of a 2xx before its body is read: from here on the call is paid. */
  onAccepted?: (headers: Headers) => void;
}

/**
 * Bytes of a refusal; what is longer is judged by its status alone. The SDKs write the body into their error's message, indented:
 * of 16 kB of brackets they make 90 MB.
 */
const refusalBytes = 8_000;

/** An SDK would take a redirect for a success, and a status beyond 599 fits no Response. */
async function refuse({ body }: Response): Promise<never> {
  await body?.cancel();
  throw new Error('the answer has a status that no API gives');
}

function statusOf(error: unknown): unknown {
  const { status, statusCode } = Object(error) as { status?: unknown; statusCode?: unknown };
  return status ?? statusCode;
}

function refusalOf({ status, headers }: Response): Diagnosis {
  const why = status < 400 ? 'redirected' : 'the refusal cannot be read';
  return {
    code: codeOfStatus(status),
    why,
    status,
    retryAfterMs: parseRetryAfter(headers.get('retry-after')),
  };
}

/** One per call. */
export function watchedFetch({ maxBytes, maxValues, onAccepted }: WatchOptions): WatchedFetch {
  let last: Response | undefined;
  let tooLarge: string | undefined;
  const overflow = (limit: string): void => void (tooLarge = limit);
  return {
    async fetch(input, init) {
      last = undefined;
      tooLarge = undefined;
      // An SDK would take the key and the words to wherever a redirect points, again and again.
      last = await fetch(input, { ...init, redirect: 'manual' });
      if (last.ok) onAccepted?.(last.headers);
      else if (last.status < 400 || last.status > 599) return await refuse(last);
      return limited(last, last.ok ? maxBytes : Math.min(maxBytes, refusalBytes), overflow, maxValues);
    },
    headers: () => last?.headers,
    accepted: () => last?.ok === true,
    misread(error) {
      if (last?.ok === false) return statusOf(error) === undefined ? refusalOf(last) : undefined;
      if (tooLarge !== undefined) return { code: 'bad_output', why: `the answer has more than ${tooLarge}` };
      if (last === undefined || diagnoseNetwork(error, true) !== undefined) return undefined;
      return { code: 'bad_output', why: 'the answer cannot be read' };
    },
  };
}

/**
 * What an SDK makes of an answer that says itself what it used. When the SDK fails over one that was accepted, that is never
 * said, and the vendor bills it all the same: then `chargeEstimate` is called, so that budgets see it.
 */
export async function billed<T>(
  { accepted }: Pick<WatchedFetch, 'accepted'>,
  answer: Promise<T>,
  chargeEstimate: () => void,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (accepted()) chargeEstimate();
    throw error;
  }
}

/** The same answer, whose body fails as soon as it is longer than it may be; the rest of it is never taken in. */
function limited(
  response: Response,
  maxBytes: number,
  overflow: (limit: string) => void,
  maxValues = Infinity,
): Response {
  if (response.body === null) return response;
  let size = 0;
  const values = valueCounter();
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength;
      const fits = size <= maxBytes;
      if (fits && values(chunk) <= maxValues) controller.enqueue(chunk);
      else {
        overflow(fits ? `${maxValues} values` : `${maxBytes} bytes`);
        controller.error(new Error('the answer is too large'));
      }
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
}

/**
 * How many values a JSON text has so far, at most: each stands behind one of `,[{`, of which base64 has none. Nothing is
 * counted in an MP3, which has them by chance and is no JSON: it begins with 0xff or `ID3`.
 */
function valueCounter(): (chunk: Uint8Array) => number {
  let first: number | undefined;
  let values = 0;
  return (chunk) => {
    first ??= chunk[0];
    if (first === 0xff || first === 0x49) return 0;
    for (const byte of chunk) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values += 1;
    return values;
  };
}

/**
 * A fetch that never rejects: what went wrong comes out when the body is read. For the SDKs of ElevenLabs and Deepgram,
 * which forget their own timeout's timer when fetch rejects, so that every failed call would keep the process for minutes.
 */
export function lateErrors(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    try {
      return await inner(input, init);
    } catch (error) {
      const body = new ReadableStream({
        start(controller) {
          controller.error(error);
        },
      });
      return new Response(body);
    }
  };
}
