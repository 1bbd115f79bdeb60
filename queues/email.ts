// Mail from a fixed set of templates. Nobody sends a template, a header or a second recipient.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { emailAddress, httpsLink, line } from './fields.ts';

const storyReady = z.strictObject({
  template: z.literal('story-ready'),
  to: emailAddress,
  variables: z.strictObject({
    childName: line(60),
    title: line(200),
    degraded: z.boolean().default(false),
    coverUrl: httpsLink.optional(),
    narrationUrl: httpsLink.optional(),
  }),
});
const reportReady = z.strictObject({
  template: z.literal('report-ready'),
  to: emailAddress,
  variables: z.strictObject({
    report: line(60),
    from: line(40),
    to: line(40),
    rows: z.int().min(0),
    link: httpsLink,
  }),
});

/** Mail: one recipient, one of the templates, its variables. */
export const email = defineQueue({
  name: 'email',
  concurrency: 10,
  timeoutMs: 60_000,
  retry: { attempts: 5, backoff: 'exponential', delayMs: 30_000 },
  jobs: {
    'send-email': {
      payload: z.discriminatedUnion('template', [storyReady, reportReady]),
      result: z.strictObject({ messageId: z.string(), response: z.string() }),
      replay: 'ask',
      summary: (payload) => payload.template,
    },
  },
});
