// The bench's own queue: a kind that does nothing.
import { z } from 'zod';
import { defineQueue } from '../queues/define.ts';
import { createRegistry } from '../queues/registry.ts';

export const noopQueue = defineQueue({
  name: 'bench',
  concurrency: 50,
  timeoutMs: 60_000,
  retry: { attempts: 3, backoff: 'exponential', delayMs: 5_000 },
  jobs: {
    noop: {
      payload: z.strictObject({ childName: z.string(), age: z.int(), theme: z.string(), pages: z.int() }),
      result: z.strictObject({}),
      replay: 'safe',
      summary: (payload) => `${payload.pages} pages`,
    },
  },
});

export const registry = createRegistry([noopQueue]);
