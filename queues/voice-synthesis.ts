// The narration of a story, with captions, checked by listening to it again.
import { z } from 'zod';
import { defineQueue } from './define.ts';
import { rowId, voiceId } from './fields.ts';

export const voiceSynthesis = defineQueue({
  name: 'voice-synthesis',
  concurrency: 3,
  timeoutMs: 600_000,
  retry: { attempts: 3, backoff: 'exponential', delayMs: 5_000 },
  jobs: {
    'narrate-story': {
      payload: z.strictObject({ storyId: rowId, voiceId: voiceId.optional() }),
      result: z.strictObject({
        audioUrl: z.string(),
        captionsUrl: z.string(),
        durationSeconds: z.number(),
        /** Share of words that an independent transcript heard differently, 0 to 1 and more. */
        wordErrorRate: z.number(),
        flagged: z.boolean(),
        /** Spoken by another voice than the one asked for, because that one could not. */
        standIn: z.boolean(),
      }),
      replay: 'safe',
      paid: true,
      summary: () => 'narration and captions',
    },
  },
});
