// What the fault rows' kinds do, in a real work process. The paid calls are HTTP requests to the bill of the row.
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../../../shared/call.ts';
import { Failure, toError } from '../../../shared/errors.ts';
import { defineWorker, type Job, type Services } from '../../../workers/define.ts';
import { playQueue, sideQueue, tellQueue } from './kinds.ts';

/** `billUrl`: kit/bill.ts. */
export function faultWorkers(billUrl: string) {
  return [
    defineWorker(playQueue, {
      pay: (job) => pay(job, billUrl),
      'pay-long': (job) => job.step('step', (call) => buy(call, { callMs: 0, limitMs: 180_000, billUrl })),
      sleep: (job) => sleep(job, job.payload.ms),
      async poison(job) {
        await delay(job.payload.ms);
        process.kill(process.pid, 'SIGKILL');
        return delay(60_000); // the signal comes when it comes
      },
      hang: (job) => delay(job.payload.ms),
      oom: () => fillMemory(),
      stray() {
        setTimeout(() => {
          throw new Error('a throw that nobody can catch');
        }, 50);
        return delay(60_000);
      },
      fail: (job) => Promise.reject(new Error(job.payload.message)),
      async children(job) {
        for (let child = 0; child < job.payload.count; child += 1)
          job.enqueue('sleep' as never, { ms: job.payload.ms } as never);
        if (job.payload.count > 0) job.enqueue('rest' as never, {} as never, { after: 'siblings' });
        return Promise.resolve({});
      },
      rest: () => Promise.resolve({}),
    }),
    defineWorker(tellQueue, { tell }),
    defineWorker(sideQueue, { quick: (job) => sleep(job, job.payload.ms) }),
  ];
}

/** One paid call of a real provider. */
async function tell(job: Job, { gemini }: Services): Promise<unknown> {
  const brief = { childName: 'Ottilie', age: 6, theme: 'a fox', language: 'en', pages: 3 };
  const { model } = await job.step('tell', (call) => gemini.writeStory(brief, call));
  return { model };
}

async function sleep(job: Job, ms: number): Promise<unknown> {
  await delay(ms, undefined, { signal: job.signal });
  return {};
}

interface Purchase {
  callMs: number;
  limitMs: number;
  billUrl: string;
}

async function pay(
  job: Job<{ steps: number; callMs: number; limitMs?: number | undefined }>,
  billUrl: string,
): Promise<unknown> {
  const receipts: unknown[] = [];
  const { callMs, limitMs = 10_000 } = job.payload;
  for (let number = 1; number <= job.payload.steps; number += 1) {
    const { receipt } = await job.step(`step-${number}`, (call) => buy(call, { callMs, limitMs, billUrl }));
    receipts.push(receipt);
  }
  return { receipts };
}

/** One paid call. What is not known to be refused counts as unknown: the other side may have charged for it. */
async function buy(call: Call, { callMs, limitMs, billUrl }: Purchase): Promise<{ receipt: number }> {
  const answer = await fetch(`${billUrl}/pay?ms=${callMs}`, {
    method: 'POST',
    headers: { 'x-storytime-step': call.step, 'x-storytime-sent-at': String(Date.now()) },
    signal: AbortSignal.any([call.signal, AbortSignal.timeout(limitMs)]),
  }).catch((thrown: unknown) => {
    throw new Failure('unknown_outcome', `the bill did not answer: ${toError(thrown).message}`);
  });
  if (answer.status === 429)
    throw new Failure('rate_limited', 'the bill asks to wait', {
      retryAfterMs: Number(answer.headers.get('retry-after') ?? 1) * 1_000,
    });
  if (!answer.ok) throw new Failure('unavailable', `the bill answered ${answer.status}`);
  call.charge({ provider: 'gemini', model: 'any', usage: [{ unit: 'output_token', quantity: 1 }] });
  return (await answer.json()) as { receipt: number };
}

async function fillMemory(): Promise<never> {
  const kept: number[][] = [];
  for (;;) {
    kept.push(Array.from({ length: 1_000_000 }, (_, index) => index + kept.length));
    await delay(1);
  }
}
