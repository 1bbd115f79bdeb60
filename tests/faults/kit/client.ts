// A caller of the API as a careful client is one: every enqueue has a key, and is sent again with the same key until it is
// answered. Every single request is written down, so that the checker can hold the API to each of its answers.
import { setTimeout as delay } from 'node:timers/promises';

/** One HTTP request. `status` 0: no answer came (`failure` says why); then the job may exist all the same. */
export interface Sent {
  key: string;
  /** Milliseconds since 1970. */
  sentAt: number;
  ms: number;
  status: number;
  /** Problem code of an answer that is none of 2xx; `untyped` when it has none. */
  code?: string;
  jobId?: string;
  /** Of the header Retry-After, in seconds. */
  retryAfterS?: number;
  failure?: 'timeout' | 'cut';
  /** The body of a problem, for the scan for personal data. */
  body?: string;
}

/** One wish of the caller, over all its requests. */
export interface Wish {
  key: string;
  kind: string;
  jobId: string | undefined;
  /** When the 202 came (Date.now()); undefined when it never came. */
  acknowledgedAt: number | undefined;
}

export interface Caller {
  sent: readonly Sent[];
  wishes: readonly Wish[];
  /** Ids of acknowledged jobs. */
  acknowledged: () => string[];
  /** Sends until there is a 2xx or a 4xx; gives up after `patienceMs` (default 60 s). */
  enqueue: (kind: string, payload?: object, options?: EnqueueOptions) => Promise<Wish>;
  /** `count` wishes, at most `parallel` (default 20) at once, or `perSecond` of them. */
  enqueueMany: (
    count: number,
    make: (index: number) => [kind: string, payload?: object, options?: EnqueueOptions],
    pace?: Pace,
  ) => Promise<Wish[]>;
  /** One request, not sent again. */
  send: (key: string, body: object) => Promise<Sent>;
  /** One GET of this path, not sent again. */
  ask: (path: string) => Promise<Sent>;
}

export interface EnqueueOptions {
  key?: string;
  patienceMs?: number;
  /** The `options` of the job: priority, delayMs, runAt. */
  options?: object;
}

export interface Pace {
  parallel?: number;
  perSecond?: number;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** The API promises an answer within 5 s; the caller waits a little longer, to tell late from never. */
const giveUpMs = 7_000;

/** `api`: base address of now, asked before each request, because a test may put a proxy in front of it. */
export function createCaller(api: () => string, apiKey: string): Caller {
  const sent: Sent[] = [];
  const wishes: Wish[] = [];
  let count = 0;

  function send(key: string, body: object): Promise<Sent> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return request(key, '/v1/jobs', { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async function request(key: string, path: string, init: Asked = {}): Promise<Sent> {
    const entry: Sent = { key, sentAt: Date.now(), ms: 0, status: 0 };
    sent.push(entry);
    const start = performance.now();
    try {
      const answer = await fetch(`${api()}${path}`, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${apiKey}` },
        signal: AbortSignal.timeout(giveUpMs),
      });
      const text = await answer.text();
      Object.assign(entry, judge(answer, text));
    } catch (thrown) {
      entry.failure = thrown instanceof Error && thrown.name === 'TimeoutError' ? 'timeout' : 'cut';
    }
    entry.ms = performance.now() - start;
    return entry;
  }

  /** Sends until the answer says what became of it. */
  async function insist(wish: Wish, body: object, patienceMs: number): Promise<Wish> {
    const end = performance.now() + patienceMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const { status, jobId } = await send(wish.key, body);
      if (isAccepted(status)) Object.assign(wish, { jobId, acknowledgedAt: Date.now() });
      if ((status >= 200 && status < 500) || performance.now() > end) return wish;
      await delay(pauseMs);
    }
  }

  async function enqueue(kind: string, payload: object = {}, given: EnqueueOptions = {}): Promise<Wish> {
    const key = given.key ?? `wish-${(count += 1)}-${Math.random().toString(36).slice(2)}`;
    const wish: Wish = { key, kind, jobId: undefined, acknowledgedAt: undefined };
    wishes.push(wish);
    const { options, patienceMs = 60_000 } = given;
    return insist(wish, { kind, payload, ...(options !== undefined && { options }) }, patienceMs);
  }

  return {
    sent,
    wishes,
    acknowledged: () => wishes.flatMap(({ jobId }) => jobId ?? []),
    enqueue,
    send,
    ask: (path) => request(`GET ${path}`, path),
    async enqueueMany(total, make, { parallel = 20, perSecond } = {}) {
      const done: Promise<Wish>[] = [];
      let next = 0;
      if (perSecond !== undefined) {
        for (; next < total; next += 1) {
          done.push(enqueue(...make(next)));
          await delay(1_000 / perSecond);
        }
        return Promise.all(done);
      }
      const take = async (): Promise<void> => {
        while (next < total) {
          next += 1;
          const wish = enqueue(...make(next - 1));
          done.push(wish);
          await wish;
        }
      };
      await Promise.all(Array.from({ length: parallel }, take));
      return Promise.all(done);
    },
  };
}

function isAccepted(status: number): boolean {
  return status >= 200 && status < 300;
}

function judge(answer: Response, text: string): Partial<Sent> {
  const body = parse(text);
  if (answer.ok) return { status: answer.status, jobId: String(body['id']) }; // of a read it is nobody's
  const typed = answer.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const { code } = body;
  return {
    status: answer.status,
    code: typed && typeof code === 'string' ? code : 'untyped',
    retryAfterS: Number(answer.headers.get('retry-after') ?? 0),
    body: text,
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
