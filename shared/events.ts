// What happens, as typed events. Code emits; log.ts and metrics.ts subscribe. No event carries a payload or a person's data.
import type { FailureCode } from './errors.ts';

export interface JobFacts {
  jobId: string;
  queue: string;
  kind: string;
}

export interface AttemptEnded extends JobFacts {
  tenant: string;
  attempt: number;
  generation: number;
  outcome: 'succeeded' | 'failed' | 'snoozed' | 'interrupted' | 'lost' | 'crashed' | 'cancelled';
  /** The job's state afterwards. */
  state: string;
  durationMs: number;
  /** Due -> begin; on the first attempt only. */
  waitMs?: number;
  code?: FailureCode;
  message?: string;
  retryInMs?: number;
  workerId: string;
  /** Of the request that the job, or the first of its family, came with. */
  requestId?: string;
  /** False when another attempt had taken over: nothing was written. */
  recorded: boolean;
}

/** What showed that the engine had lost something; `none`: nothing did. */
export const doubts = ['missing', 'foreign', 'older', 'restarted', 'none'] as const;

/** Why a work process takes no jobs for now. */
export const holdReasons = ['clock', 'event_loop', 'engine_full'] as const;
export type HoldReason = (typeof holdReasons)[number];

export interface Events {
  'job.enqueued': { queue: string; kind: string; source: string; count: number };
  'job.finished': JobFacts & { state: string; endToEndMs?: number };
  'attempt.ended': AttemptEnded;
  'step.ended': JobFacts & { step: string; result: 'ran' | 'remembered'; durationMs: number };
  'charge.recorded': { provider: string; model: string; microUsd: number };
  /** Told once a day, tenant and budget. `provider` is `*` for the budget of all providers. */
  'budget.exhausted': { tenant: string; provider: string; limitMicroUsd: number; spentMicroUsd: number };
  'provider.called': { provider: string; operation: string; outcome: 'ok' | FailureCode; durationMs: number };
  /** `gate`: the one that this breaker counts for. */
  'provider.breaker': { provider: string; gate: string; state: 'closed' | 'open' | 'half_open' };
  /** This process sees a shared gate change. */
  'provider.gate': { provider: string; gate: string; state: 'closed' | 'open'; reason: string };
  /** A provider refuses our key (all of it) or our money (what is behind `gate`): a person has to act. */
  'provider.alert': { provider: string; gate: string; reason: 'auth' | 'quota_exhausted' };
  'relay.failed': { queue: string; count: number; message: string };
  'maintenance.done': { duty: string; count: number; durationMs: number };
  'maintenance.failed': { duty: string; message: string };
  /** The engine was not the one that the ledger knew, or not as it was: all jobs were compared with it. `none`: nothing showed that. */
  'engine.recovered': {
    doubt: (typeof doubts)[number];
    compared?: number;
    broughtBack: number;
    durationMs: number;
  };
  /** The ledger or the engine can be used, or cannot any more. */
  'dependency.changed': { name: 'ledger' | 'engine'; ready: boolean; message?: string };
  /** This machine's clock beside the database's; positive when ours is ahead. */
  'clock.compared': { aheadMs: number };
  /** How late the event loop was. */
  'loop.turned': { lagMs: number };
  /** A queue's worker had gone quiet while jobs waited in the engine, and was made anew. */
  'worker.rebuilt': { queue: string; waiting: number; quietMs: number };
  /** This process takes no jobs for this reason, or no longer for this one. */
  'intake.changed': { reason: HoldReason; held: boolean; message?: string };
  /** What is held because the engine is short of memory has changed. `usedShare`: 0 to 1. */
  'engine.pressure': { usedShare: number; holdsAdds: boolean; holdsTakes: boolean };
  'ledger.slow': { model: string; action: string; durationMs: number };
  'http.answered': {
    method: string;
    route: string;
    status: number;
    durationMs: number;
    requestId: string;
    code?: string;
  };
  notice: {
    level: 'debug' | 'info' | 'warn' | 'error';
    message: string;
    facts?: Readonly<Record<string, unknown>>;
  };
}

export type EventName = keyof Events;
export type Emit = <Name extends EventName>(name: Name, event: Events[Name]) => void;

export interface EventBus {
  emit: Emit;
  on: <Name extends EventName>(name: Name, listener: (event: Events[Name]) => void) => void;
}

/** Listeners are told in order; one that throws is passed over, because a log line must not fail a paid call. */
export function createEvents(): EventBus {
  const listeners = new Map<EventName, ((event: never) => void)[]>();
  return {
    emit(name, event) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          (listener as (given: typeof event) => void)(event);
        } catch {
          // The listeners are ours (log, metrics): there is nobody else to tell.
        }
      }
    },
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener]);
    },
  };
}
