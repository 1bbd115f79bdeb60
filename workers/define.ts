// What a handler is and what it sees. A handler is a plain function of (job, services): test it with two literals.
import type { z } from 'zod';
import type { Call } from '../shared/call.ts';
import type { QueueDefinition } from '../queues/define.ts';
import type { Payloads } from '../queues/index.ts';
import type { Kept } from '../ledger/artifact-parts.ts';
import type { Db, Tx } from '../ledger/db.ts';
import type { Remembered } from '../ledger/steps.ts';
import type { Providers } from '../providers/ports.ts';

export interface EnqueueChild {
  /** `siblings`: born blocked, runs once when all the other children, and theirs, have ended. At most one a job. */
  after?: 'siblings';
}

/** Stores a file of up to 2 GB while it is made, part by part; put what it gives at the top level of the step's value. */
export type Keep = (chunks: AsyncIterable<Uint8Array>) => Promise<Kept>;

/** One attempt of a job, as its handler sees it. */
export interface Job<Payload = unknown> {
  readonly id: string;
  readonly kind: string;
  readonly tenant: string;
  readonly payload: Payload;
  /** 1 for the first. Counts every start, also those that used no attempt up. */
  readonly attempt: number;
  /** One more failure would be the end of the job: what could stand in for the missing answer does so now. */
  readonly lastTry: boolean;
  /** Aborts on timeout, cancel, a lost lease and shutdown; give it to everything that takes long. */
  readonly signal: AbortSignal;
  /**
   * Runs `call` once in the life of the job and remembers what it returned: a retry gets the stored value back.
   * Bytes at the top level of the value are kept as artifacts, and so is what `keep` gave. `save` writes domain rows in the same
   * transaction.
   */
  step: <T>(
    name: string,
    call: (call: Call, keep: Keep) => Promise<T>,
    options?: { save?: (tx: Tx, value: Remembered<T>) => Promise<void> },
  ) => Promise<Remembered<T>>;
  /** Whether an earlier attempt stored the step of this name: then its answer is there, and costs nothing. */
  remembers: (name: string) => Promise<boolean>;
  /** Asks for a child; it is born in the transaction that ends this job with success, never before. */
  enqueue: <Kind extends keyof Payloads>(kind: Kind, payload: Payloads[Kind], options?: EnqueueChild) => void;
  /** 0 to 100, and a line for the operator without personal data. */
  progress: (percent: number, message?: string) => void;
}

export interface Services extends Providers {
  /** For reads; a handler writes only in the `save` of a step. */
  db: Db;
  /** A signed link to an artifact, which opens without a key for so many days; the artifact must be kept for as long. */
  artifactLink: (artifactId: string, days: number) => Promise<string>;
  /** Where the files of a story are uploaded: a path that its id does not tell, the same each time. */
  storyFolder: (storyId: string) => string;
}

export type Handler<Payload = unknown, Result = unknown> = (
  job: Job<Payload>,
  services: Services,
) => Promise<Result>;

export interface WorkerDefinition<Handlers = unknown> {
  queue: QueueDefinition;
  handlers: Readonly<Record<string, Handler>>;
  /** Keeps the exact type for tests that call one handler. */
  readonly typed: Handlers;
}

type HandlersOf<Queue extends QueueDefinition> = {
  [Kind in keyof Queue['jobs']]: Handler<
    z.output<Queue['jobs'][Kind]['payload']>,
    z.output<Queue['jobs'][Kind]['result']>
  >;
};

/** One handler per kind of the queue: a missing one, an extra one or a wrong result does not compile. */
export function defineWorker<Queue extends QueueDefinition>(
  queue: Queue,
  handlers: HandlersOf<Queue>,
): WorkerDefinition<HandlersOf<Queue>> {
  return { queue, handlers: handlers as unknown as Record<string, Handler>, typed: handlers };
}
