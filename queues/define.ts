// What a queue and a job kind are: names, schemas, policies. Data, no I/O; a handler for each kind is in workers/.
import type { z } from 'zod';

export interface RetryPolicy {
  /** Attempts in all, the first one included. Only failures count: a snooze or a deploy uses none up. */
  attempts: number;
  backoff: 'exponential' | 'fixed';
  /** Wait before the second attempt, in ms. */
  delayMs: number;
}

export interface KindDefinition<Payload extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  payload: Payload;
  result: Result;
  /** Whether running it a second time on purpose is harmless, a question, or forbidden. */
  replay: 'safe' | 'ask' | 'never';
  /** Its calls cost: not accepted while the tenant's budget of the day is used up. */
  paid?: true;
  /** The line shown on Bull Board: never a name, an address or a text of the payload. */
  summary?(payload: z.output<Payload>): string;
  retry?: RetryPolicy;
  timeoutMs?: number;
  /** After this long past its due time an unfinished job expires; default a day. */
  giveUpAfterMs?: number;
  /** Raised when the payload changes so that the old shape no longer fits; default 1. Stored with each job. */
  version?: number;
  /** From a version to the next one, by the version it starts from. Pure; without a way up, old jobs are parked. */
  upgrade?: Upgrades;
  /** Names it had before: old jobs and old callers still find it. Leave them out once no job has one. */
  aliases?: readonly string[];
}

export type Upgrades = Readonly<Record<number, (payload: unknown) => unknown>>;

export interface QueueDefinition<Name extends string = string, Jobs extends Kinds = Kinds> {
  name: Name;
  /** Jobs at once in one work process. */
  concurrency: number;
  /** Limit of one attempt, in ms; the handler's signal aborts then. */
  timeoutMs: number;
  retry: RetryPolicy;
  jobs: Jobs;
}

export type Kinds = Record<string, KindDefinition>;

type Definitions<Payloads, Results> = {
  [Kind in keyof Payloads]: Payloads[Kind] extends z.ZodType
    ? Kind extends keyof Results
      ? Results[Kind] extends z.ZodType
        ? KindDefinition<Payloads[Kind], Results[Kind]>
        : never
      : never
    : never;
};

/** Declares a queue; the types of payloads and results are inferred from the schemas. */
export function defineQueue<
  const Name extends string,
  Payloads extends Record<string, z.ZodType>,
  Results extends Record<keyof Payloads, z.ZodType>,
>(queue: {
  name: Name;
  concurrency: number;
  timeoutMs: number;
  retry: RetryPolicy;
  jobs: {
    [Kind in keyof Payloads]: { payload: Payloads[Kind] } & Omit<KindDefinition<Payloads[Kind]>, 'result'>;
  } & {
    [Kind in keyof Results]: { result: Results[Kind] };
  };
}): QueueDefinition<Name, Definitions<Payloads, Results>> {
  return queue as unknown as QueueDefinition<Name, Definitions<Payloads, Results>>;
}
