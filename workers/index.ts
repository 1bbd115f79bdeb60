// Every queue's worker, exactly once: a queue without its worker, or under another's name, does not compile.
import type { queues } from '../queues/index.ts';
import type { Handler, WorkerDefinition } from './define.ts';
import { emailWorker } from './email.ts';
import { imageProcessingWorker } from './image-processing.ts';
import { reportsWorker } from './reports.ts';
import { storyGenerationWorker } from './story-generation.ts';
import { voiceSynthesisWorker } from './voice-synthesis.ts';

type Queue = (typeof queues)[number];
type WorkerOf<Jobs> = WorkerDefinition<Readonly<Record<keyof Jobs, Handler<never>>>>;

const byQueue = {
  email: emailWorker,
  'story-generation': storyGenerationWorker,
  'voice-synthesis': voiceSynthesisWorker,
  'image-processing': imageProcessingWorker,
  reports: reportsWorker,
} satisfies { [Named in Queue as Named['name']]: WorkerOf<Named['jobs']> };

export const workers: readonly WorkerDefinition[] = Object.values(byQueue);
