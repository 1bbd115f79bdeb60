// Pictures: checked, stripped of metadata, uploaded with variants.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { rowId } from './fields.ts';

export const imageProcessing = defineQueue({
  name: 'image-processing',
  concurrency: 4,
  timeoutMs: 180_000,
  retry: { attempts: 2, backoff: 'fixed', delayMs: 10_000 },
  jobs: {
    'process-image': {
      payload: z.strictObject({ storyId: rowId, page: z.int().min(0).max(12), artifactId: rowId }),
      result: z.strictObject({
        page: z.int(),
        url: z.string(),
        width: z.int(),
        height: z.int(),
        variants: z.array(z.strictObject({ width: z.int(), url: z.string() })),
      }),
      replay: 'safe',
      summary: (payload) => (payload.page === 0 ? 'cover' : `page ${payload.page}`),
    },
  },
});
