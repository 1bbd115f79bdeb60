// What the rest of the house sees of the engine: it is told what to run next, and it delivers. It decides nothing else.
import type { Queue } from 'bullmq';

/** The data of an engine job: never a payload, so no child's name is in the engine and Bull Board shows none. */
export interface EngineData {
  jobId: string;
  generation: number;
  /** `2/5`: this attempt of all. */
  attempt: string;
  tenant: string;
  summary: string;
}

export interface EngineJob {
  kind: string;
  /** 1 is served first; never 0, which BullMQ would run before everything else. */
  priority: number;
  delayMs: number;
  data: EngineData;
}

/** `<job id>-<generation>`: a stamped generation is never added again, because a kept finished id is silently ignored. */
export function engineId(data: Pick<EngineData, 'jobId' | 'generation'>): string {
  return `${data.jobId}-${data.generation}`;
}

/** `queued`: it waits or is delayed. `active`: it was delivered, and its begin is the ledger's to know. */
export type Held = 'queued' | 'active';

/** The canary in the engine: another epoch, a lower count or another instance, and it may have lost entries. */
export interface Epoch {
  epoch: string;
  count: number;
  /** The server's run id; empty where it tells none. */
  instance: string;
}

export interface Broker {
  readonly kind: 'postgres' | 'redis';
  readonly ready: boolean;
  /** Adds in bulk; adding twice is harmless. Rejects at once while the engine is away. Called by the relay alone. */
  add: (queue: string, jobs: readonly EngineJob[]) => Promise<void>;
  /** Which of the engine ids the engine has yet to end, looked up in bulk. What it ended or never had is not in the map. */
  held: (queue: string, ids: readonly string[]) => Promise<Map<string, Held>>;
  /** Removes a job that must not run; one that is running or gone is left alone. */
  remove: (queue: string, id: string) => Promise<void>;
  /** The queues as Bull Board wants them, once the engine is ready. */
  boardQueues: () => Promise<Queue[]>;
  /** The engine's canary, counted up by one; undefined when there is none. */
  readEpoch: () => Promise<Epoch | undefined>;
  /** Puts a new canary in the place of any other. */
  writeEpoch: (epoch: string) => Promise<Epoch>;
  /** Told when the engine is there: the first time, and each time after it was lost. */
  onReturn: (listener: () => void) => void;
  /** A round trip on the connection in use; rejects when there is none. */
  ping: () => Promise<void>;
  close: () => Promise<void>;
}

/** One delivery of the engine. It may be late, doubled or stale: the ledger decides whether it runs. */
export interface Delivery {
  data: EngineData;
  kind: string;
  queue: string;
  /** Shows progress on Bull Board; failures are of no consequence. */
  showProgress: (percent: number) => void;
}

/** How the engine's job ends: `failed` puts it on Bull Board's Failed list, which is exactly the dead. */
export type Ending = { failed: false; outcome: string } | { failed: true; message: string };

export type OnDelivery = (delivery: Delivery) => Promise<Ending>;

export interface Consumer {
  /** Stops taking deliveries; those under way go on, and one that was already asked for may still come. */
  pause: () => Promise<void>;
  /** Closes; `force` does not wait for deliveries under way. Without it BullMQ ends its waits cleanly. */
  close: (force: boolean) => Promise<void>;
}
