// A vendor of this test: a real HTTP server that answers as scripted, and a guard with fast timers around calls to it.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach } from '@jest/globals';
import { createEvents } from '../../shared/events.ts';
import { Failure } from '../../shared/errors.ts';
import { createGuard, type GuardOptions, type Timings } from '../../providers/guard.ts';
import { codeOfStatus, parseRetryAfter, type Diagnosis } from '../../providers/failure.ts';

type Step = number | 'hang' | 'reset' | 'cut';

class StatusError extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super('status');
    this.response = response;
  }
}

const script: Step[] = [];
export const vendor = { script, requests: 0, retryAfter: undefined as string | undefined };

function answer(response: ServerResponse): void {
  vendor.requests += 1;
  const step = script.shift() ?? 200;
  if (step === 'hang') return;
  if (step === 'reset') {
    response.destroy();
    return;
  }
  if (step === 'cut') {
    response.writeHead(200, { 'content-length': '100' }).write('{');
    setImmediate(() => response.destroy());
    return;
  }
  response
    .writeHead(step, vendor.retryAfter === undefined ? {} : { 'retry-after': vendor.retryAfter })
    .end('{"ok":true}');
}

const server: Server = createServer((_request, response) => {
  answer(response);
});
const url = await new Promise<string>((resolve) => {
  server.listen(0, '127.0.0.1', () => {
    resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  script.length = 0;
  vendor.retryAfter = undefined;
  vendor.requests = 0;
});

export const fast: Partial<Timings> = {
  retryBaseMs: 2,
  retryCapMs: 8,
  inlineBudgetMs: 200,
  resetMs: 60,
  graceMs: 50,
};

export function setUp(options: Partial<GuardOptions> = {}) {
  const events = createEvents();
  const outcomes: string[] = [];
  const states: string[] = [];
  events.on('provider.called', ({ outcome }) => outcomes.push(outcome));
  events.on('provider.breaker', ({ state }) => states.push(state));
  const guard = createGuard({
    provider: 'test',
    emit: events.emit,
    breaker: true,
    timings: fast,
    ...options,
  });
  return { guard, outcomes, states };
}

export function translate(error: unknown): Diagnosis | undefined {
  if (!(error instanceof StatusError)) return undefined;
  const { status, headers } = error.response;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  return { code: codeOfStatus(status), why: 'test', status, retryAfterMs };
}

interface Asked {
  paid?: boolean;
  deadlineMs?: number;
  signal?: AbortSignal;
  target?: string;
  proves?: false;
}

export function ask(guard: ReturnType<typeof createGuard>, asked: Asked = {}): Promise<unknown> {
  const call = { signal: asked.signal ?? new AbortController().signal };
  const { deadlineMs = 5_000, paid = true, proves } = asked;
  const options = { call, deadlineMs, paid, translate, ...(proves === false && { proves }) };
  return guard.run('ask', options, async ({ signal }) => {
    const response = await fetch(asked.target ?? url, { method: 'POST', body: '{}', signal });
    if (!response.ok) throw new StatusError(response);
    return response.json();
  });
}

export async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got ${String(error)}`);
  return error;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
