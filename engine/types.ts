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

/** On Redis all keys share one hash slot, as Redis Cluster demands of scripts that touch several queues. */
export const prefix = '{storytime}';

export type EngineKind = 'postgres' | 'redis' | 'redis-sentinel' | 'redis-cluster';

export interface EngineJob {
  kind: string;
  /** 1 is served first; never 0, which BullMQ would run before everything else. */
  priority: number;
  delayMs: number;
  /** The ledger's time when `delayMs` was counted, in ms since 1970; without it this machine's clock. */
  countedAtMs?: number;
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

/** How full the engine is, and what is held because of it. Never more than that on PostgreSQL. */
export interface EnginePressure {
  /** 0 to 1; 0 without a limit. */
  usedShare: number;
  holdsAdds: boolean;
  holdsTakes: boolean;
}

/** Why the engine cannot be used as it should. `memory_high`: it can, but nothing more is added to it. */
export type EngineReason =
  | 'away'
  | 'not_persisting'
  | 'memory_full'
  | 'memory_high'
  | 'read_only'
  | 'not_allowed';

export interface Broker {
  readonly kind: EngineKind;
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
  /** As of the last ping. */
  readonly pressure: EnginePressure;
  /** Told of each change of what is held. */
  onPressure: (listener: (pressure: EnginePressure) => void) => void;
  /** A round trip on the connections in use; rejects when there is none, with the reason. */
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

/** What takes jobs: it can be told to stop taking, for a while or for good. */
export interface Taker {
  /** Stops taking deliveries; those under way go on, and one that was already asked for may still come. */
  pause: () => Promise<void>;
  /** Takes nothing until `take`; deliveries under way are not waited for and end as usual. */
  hold: () => void;
  /** Takes again; nothing happens when it does already. */
  take: () => void;
  /** Closes; `force` does not wait for deliveries under way. Without it BullMQ ends its waits cleanly. */
  close: (force: boolean) => Promise<void>;
}

/** Takes from one queue of the engine. While held, no worker of the engine exists. */
export interface Consumer extends Taker {
  readonly queue: string;
  /** Throws the engine's worker away and makes another: for one that has gone quiet, whatever it says of itself. */
  rebuild: () => void;
  /** Deliveries that could be taken now; 0 while held. */
  readonly freeSlots: number;
  /** Milliseconds since the last delivery came or ended, or since the worker was made. */
  readonly quietMs: number;
}
