// The registry of this product: every queue, every kind. Passed down as an argument, so tests and the bench bring their own.
import { createRegistry, type PayloadInputs, type Results } from './registry.ts';
import { email } from './email.ts';
import { imageProcessing } from './image-processing.ts';
import { reports } from './reports.ts';
import { storyGeneration } from './story-generation.ts';
import { voiceSynthesis } from './voice-synthesis.ts';

export const queues = [email, storyGeneration, voiceSynthesis, imageProcessing, reports] as const;

export const registry = createRegistry(queues);

/** kind -> payload, kind -> result: what the typed client and the handlers' `enqueue` are checked against. */
export type Payloads = PayloadInputs<typeof queues>;
export type JobResults = Results<typeof queues>;
