// Mail from a fixed set of templates. Nobody sends a template, a header or a second recipient.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { emailAddress, httpsLink, line } from './fields.ts';

/** One template: its name and what may be filled in. */
function template<const Name extends string, Shape extends z.core.$ZodLooseShape>(
  name: Name,
  variables: Shape,
) {
  return z.strictObject({
    template: z.literal(name),
    to: emailAddress,
    variables: z.strictObject(variables),
  });
}

const name = line(60);

const templates = [
  template('welcome', { name, link: httpsLink }),
  template('verify-email', { name, link: httpsLink, validHours: z.int().min(1).max(168) }),
  template('reset-password', { name, link: httpsLink, validHours: z.int().min(1).max(168) }),
  template('story-ready', {
    childName: name,
    title: line(200),
    degraded: z.boolean().default(false),
    coverUrl: httpsLink.optional(),
    narrationUrl: httpsLink.optional(),
  }),
  template('report-ready', {
    report: name,
    from: line(40),
    to: line(40),
    rows: z.int().min(0),
    link: httpsLink,
  }),
  template('digest', {
    name,
    period: line(40),
    stories: z
      .array(z.strictObject({ title: line(200), link: httpsLink }))
      .min(1)
      .max(20),
  }),
] as const;

/** Mail: one recipient, one of the templates, its variables. */
export const email = defineQueue({
  name: 'email',
  concurrency: 10,
  timeoutMs: 120_000, // three quick tries of 30 s: cut off before, a mail server that stalls would count against the job
  retry: { attempts: 5, backoff: 'exponential', delayMs: 30_000 },
  jobs: {
    'send-email': {
      payload: z.discriminatedUnion('template', templates),
      result: z.strictObject({ messageId: z.string(), response: z.string() }),
      replay: 'ask',
      summary: (payload) => payload.template,
    },
  },
});
