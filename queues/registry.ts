// kind -> queue, and what holds for a kind after the queue's defaults. Built once from a list of queues.
import type { z } from 'zod';
import type { KindDefinition, QueueDefinition, RetryPolicy } from './define.ts';

export interface RegisteredKind {
  kind: string;
  queue: string;
  definition: KindDefinition;
  retry: RetryPolicy;
  timeoutMs: number;
  giveUpAfterMs: number;
  /** The line for Bull Board; never throws. */
  summary: (payload: unknown) => string;
}

export interface Registry {
  queues: readonly QueueDefinition[];
  kinds: ReadonlyMap<string, RegisteredKind>;
}

const dayMs = 86_400_000;

export function createRegistry(queues: readonly QueueDefinition[]): Registry {
  const kinds = new Map<string, RegisteredKind>();
  for (const queue of queues) {
    for (const [kind, definition] of Object.entries(queue.jobs)) {
      if (kinds.has(kind)) throw new Error(`registry failed: kind ${kind} is declared twice; rename one`);
      kinds.set(kind, {
        kind,
        queue: queue.name,
        definition,
        retry: definition.retry ?? queue.retry,
        timeoutMs: definition.timeoutMs ?? queue.timeoutMs,
        giveUpAfterMs: definition.giveUpAfterMs ?? dayMs,
        summary: (payload) => summarise(definition, payload),
      });
    }
  }
  return { queues, kinds };
}

function summarise(definition: KindDefinition, payload: unknown): string {
  try {
    return definition.summary?.(payload) ?? '';
  } catch {
    return ''; // an old payload that no longer fits must not stop its job from being dispatched
  }
}

type Union<Queues extends readonly QueueDefinition[]> = Queues[number]['jobs'];
type Merge<Jobs> = (Jobs extends unknown ? (jobs: Jobs) => void : never) extends (jobs: infer All) => void
  ? All
  : never;

/** kind -> payload as a caller writes it (defaults optional). */
export type PayloadInputs<Queues extends readonly QueueDefinition[]> = {
  [Kind in keyof Merge<Union<Queues>>]: Merge<Union<Queues>>[Kind] extends KindDefinition<infer Payload>
    ? z.input<Payload>
    : never;
};

/** kind -> result. */
export type Results<Queues extends readonly QueueDefinition[]> = {
  [Kind in keyof Merge<Union<Queues>>]: Merge<Union<Queues>>[Kind] extends KindDefinition<
    z.ZodType,
    infer Result
  >
    ? z.output<Result>
    : never;
};
