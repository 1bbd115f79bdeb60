// A story from a wish: the text, then (as children) its pictures and narration, and its publication when they have ended.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { emailAddress, languageTag, line, rowId, voiceId } from './fields.ts';

/** What a published story consists of; addresses open in a browser. */
const publishedStory = z.strictObject({
  storyId: z.string(),
  title: z.string(),
  /** Published without its narration or with fewer pictures. */
  degraded: z.boolean(),
  missing: z.array(z.string()),
  coverUrl: z.string().nullable(),
  narrationUrl: z.string().nullable(),
  captionsUrl: z.string().nullable(),
  pages: z.array(z.strictObject({ page: z.int(), imageUrl: z.string().nullable() })),
});

export const storyGeneration = defineQueue({
  name: 'story-generation',
  concurrency: 4,
  timeoutMs: 300_000,
  retry: { attempts: 3, backoff: 'exponential', delayMs: 5_000 },
  jobs: {
    'generate-story': {
      payload: z.strictObject({
        childName: line(60),
        age: z.int().min(2).max(12),
        theme: line(200),
        language: languageTag.default('en'),
        pages: z.int().min(3).max(12).default(6),
        voiceId: voiceId.optional(),
        notify: emailAddress.optional(),
      }),
      result: z.strictObject({ storyId: z.string(), title: z.string(), pages: z.int() }),
      replay: 'safe',
      paid: true,
      summary: (payload) => `${payload.pages} pages, ${payload.language}`,
    },
    'generate-images': {
      payload: z.strictObject({ storyId: rowId, page: z.int().min(0).max(12) }),
      result: z.strictObject({ page: z.int(), artifactId: z.string() }),
      replay: 'safe',
      paid: true,
      summary: (payload) => (payload.page === 0 ? 'cover' : `page ${payload.page}`),
    },
    'publish-story': {
      payload: z.strictObject({ storyId: rowId, notify: emailAddress.optional() }),
      result: publishedStory,
      replay: 'safe',
      summary: () => 'when all parts have ended',
    },
  },
});
