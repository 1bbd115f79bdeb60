// The kinds of the fault rows: what no real kind may do. Some pay the rows' bill, some never end, some end their process.
// Pure data: the api process of a row loads it without any handler.
import { z } from 'zod';
import { defineQueue } from '../../../queues/define.ts';
import { createRegistry } from '../../../queues/registry.ts';

/** Personal data that must never leave the payload (I12). */
const canary = z.string().optional();
const result = z.unknown();
const ms = z.number().int().min(0);

/** Ten at once, like a busy queue of ours. Retries come quickly, so that a row need not wait for them. */
export const playQueue = defineQueue({
  name: 'play',
  concurrency: 10,
  timeoutMs: 15_000,
  retry: { attempts: 3, backoff: 'fixed', delayMs: 200 },
  jobs: {
    /** Pays for `steps` answers, one after the other; each call takes `callMs` at the other side. */
    pay: {
      payload: z.strictObject({
        steps: ms.default(3),
        callMs: ms.default(50),
        /** How long it waits for one answer; without it ten seconds. */
        limitMs: ms.optional(),
        canary,
      }),
      result,
      replay: 'safe',
      summary: () => 'pay',
    },
    /** Pays for one answer, for which it waits three minutes. */
    'pay-long': { payload: z.strictObject({ canary }), result, replay: 'safe', timeoutMs: 200_000 },
    /** Waits, and ends at once when it is told to. */
    sleep: { payload: z.strictObject({ ms, canary }), result, replay: 'safe' },
    /** Kills its own process after `ms`. */
    poison: { payload: z.strictObject({ ms: ms.default(0) }), result, replay: 'safe' },
    /** Ignores its signal for `ms` (default: for ever). */
    hang: { payload: z.strictObject({ ms: ms.default(3_600_000) }), result, replay: 'safe' },
    /** Takes memory until the process ends. */
    oom: { payload: z.strictObject({}), result, replay: 'safe' },
    /** Throws where nobody can catch it, and never ends. */
    stray: { payload: z.strictObject({}), result, replay: 'safe' },
    /** Throws what is said, as a handler with a bug would. */
    fail: { payload: z.strictObject({ message: z.string() }), result, replay: 'safe' },
    /** Gives birth to `count` sleeps of `ms`, and to a `rest` that waits for them. */
    children: { payload: z.strictObject({ count: ms, ms: ms.default(30) }), result, replay: 'safe' },
    rest: { payload: z.strictObject({}), result, replay: 'safe' },
  },
});

/** A neighbour: whatever happens to `play`, its jobs start at once. */
export const sideQueue = defineQueue({
  name: 'side',
  concurrency: 4,
  timeoutMs: 15_000,
  retry: { attempts: 3, backoff: 'fixed', delayMs: 200 },
  jobs: { quick: { payload: z.strictObject({ ms: ms.default(0), canary }), result, replay: 'safe' } },
});

/** Jobs that call a real adapter behind the real guard; the vendor is the sandbox. */
export const tellQueue = defineQueue({
  name: 'tell',
  concurrency: 10,
  timeoutMs: 30_000,
  retry: { attempts: 3, backoff: 'fixed', delayMs: 200 },
  jobs: { tell: { payload: z.strictObject({ canary }), result, replay: 'safe' } },
});

export const faultRegistry = createRegistry([playQueue, sideQueue, tellQueue]);
