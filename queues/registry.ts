// kind -> queue, and what holds for a kind after the queue's defaults. Built once from a list of queues.
import type { z } from 'zod';
import type { KindDefinition, QueueDefinition, RetryPolicy } from './define.ts';
import { quarantineQueue } from './quarantine.ts';

export interface RegisteredKind {
  kind: string;
  queue: string;
  definition: KindDefinition;
  retry: RetryPolicy;
  timeoutMs: number;
  giveUpAfterMs: number;
  /** Of the payloads it is enqueued with. */
  version: number;
  /** The line for Bull Board; never throws. */
  summary: (payload: unknown) => string;
}

export interface Registry {
  queues: readonly QueueDefinition[];
  kinds: ReadonlyMap<string, RegisteredKind>;
  /** A kind by its name or by one that it had before. */
  find: (name: string) => RegisteredKind | undefined;
}

const dayMs = 86_400_000;

export function createRegistry(queues: readonly QueueDefinition[]): Registry {
  const kinds = new Map<string, RegisteredKind>();
  for (const queue of queues) {
    if (queue.name === quarantineQueue)
      throw new Error(
        `registry failed: ${queue.name} is the name of the quarantine lane; choose another one`,
      );
    for (const [kind, definition] of Object.entries(queue.jobs)) {
      if (kinds.has(kind)) throw new Error(`registry failed: kind ${kind} is declared twice; rename one`);
      kinds.set(kind, {
        kind,
        queue: queue.name,
        definition,
        retry: definition.retry ?? queue.retry,
        timeoutMs: definition.timeoutMs ?? queue.timeoutMs,
        giveUpAfterMs: definition.giveUpAfterMs ?? dayMs,
        version: checkedVersion(kind, definition),
        summary: (payload) => summarise(definition, payload),
      });
    }
  }
  const former = formerNames(kinds);
  return { queues, kinds, find: (name) => kinds.get(name) ?? former.get(name) };
}

function formerNames(kinds: ReadonlyMap<string, RegisteredKind>): Map<string, RegisteredKind> {
  const former = new Map<string, RegisteredKind>();
  for (const kind of kinds.values()) {
    for (const name of kind.definition.aliases ?? []) {
      if (kinds.has(name) || former.has(name))
        throw new Error(`registry failed: ${name}, an alias of ${kind.kind}, is taken; remove it from one`);
      former.set(name, kind);
    }
  }
  return former;
}

/** A way up from a version that never was, or past the current one, is a slip that old jobs would pay for. */
function checkedVersion(kind: string, { version = 1, upgrade = {} }: KindDefinition): number {
  const sources = Object.keys(upgrade).map(Number);
  if (isVersion(version, 32_767) && sources.every((from) => isVersion(from, version - 1))) return version;
  const from = sources.join(', ') || 'none';
  throw new Error(
    `registry failed: ${kind} has version ${version} and upgrades from ${from}; they go from 1 to the version before`,
  );
}

function isVersion(given: number, last: number): boolean {
  return Number.isInteger(given) && given >= 1 && given <= last;
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
