// A provider with a bill: a real HTTP server in the test's process. A call is charged the moment it is accepted, one line a
// call, never deduplicated, and answered later: what is killed in between has paid and does not know it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Charged {
  /** `<job id>:<step>` as the caller sent it. */
  step: string;
  jobId: string;
  /** Milliseconds since 1970. */
  at: number;
  /** When the caller made the call, by its own clock: it may have been under way for long. */
  sentAt: number;
  /** False while the call is under way, and for ever when the caller went away before the answer. */
  answered: boolean;
}

/** How a call is met: charged and answered; refused before it is charged; charged and then cut, or never answered. */
export type Meeting =
  | { how: 'answer'; after?: Promise<unknown> }
  | { how: 'refuse'; status: number; retryAfterS?: number }
  | { how: 'cut' }
  | { how: 'hang' };

export interface Bill {
  url: string;
  entries: readonly Charged[];
  /** Decides over each call from now on; default: every one is answered. */
  meet: (judge: (step: string) => Meeting) => void;
  /** Calls accepted and not answered yet. */
  underWay: () => number;
  close: () => Promise<void>;
}

export async function startBill(): Promise<Bill> {
  const entries: Charged[] = [];
  const open = new Set<Charged>();
  let judge: (step: string) => Meeting = answerAll;
  const server = createServer((request, response) => {
    const step = String(request.headers['x-storytime-step'] ?? '');
    const meeting = judge(step);
    request.resume();
    if (meeting.how === 'refuse') return refuse(response, meeting);
    const sentAt = Number(request.headers['x-storytime-sent-at']);
    const charged = { step, jobId: step.split(':')[0] ?? '', at: Date.now(), sentAt, answered: false };
    entries.push(charged);
    open.add(charged);
    response.once('close', () => open.delete(charged));
    if (meeting.how === 'cut') request.socket.destroy();
    else if (meeting.how === 'answer') {
      const receipt = entries.length;
      void (meeting.after ?? Promise.resolve()).then(() => answerLater(request, response, charged, receipt));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    meet: (next) => void (judge = next),
    underWay: () => open.size,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answerAll(): Meeting {
  return { how: 'answer' };
}

function refuse(
  response: ServerResponse,
  { status, retryAfterS }: { status: number; retryAfterS?: number },
): void {
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  response.writeHead(status, headers).end();
}

function answerLater(
  request: IncomingMessage,
  response: ServerResponse,
  charged: Charged,
  receipt: number,
): void {
  const callMs = Number(new URL(request.url ?? '/', 'http://bill').searchParams.get('ms') ?? 0);
  const timer = setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ receipt }), () => {
      charged.answered = true;
    });
  }, callMs);
  response.once('close', () => clearTimeout(timer));
}
