// Reports: usage and costs over a period, read in pages and written into an artifact in parts: memory stays flat.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { emailAddress, moment, problem } from './fields.ts';

/** How long a report can be fetched: its file is kept and its link works for so many days, and the mail says so. */
export const reportDays = 30;

export const reports = defineQueue({
  name: 'reports',
  concurrency: 1,
  timeoutMs: 600_000,
  retry: { attempts: 2, backoff: 'exponential', delayMs: 30_000 },
  jobs: {
    'generate-report': {
      payload: z
        .strictObject({
          report: z.enum(['usage', 'costs']),
          /** First moment that counts. */
          from: moment,
          /** First moment that no longer counts. */
          to: moment,
          format: z.enum(['csv']).default('csv'),
          notify: emailAddress.optional(),
        })
        .refine((payload) => Date.parse(payload.from) < Date.parse(payload.to), {
          ...problem('validation_failed', 'must be after `from`'),
          path: ['to'],
        }),
      result: z.strictObject({ artifactId: z.string(), rows: z.int(), bytes: z.int(), link: z.string() }),
      replay: 'safe',
      summary: (payload) => `${payload.report}, ${payload.format}`,
    },
  },
});
