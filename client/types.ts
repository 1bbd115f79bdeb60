// What goes in and comes out of the client. The shapes of the API's answers, as its OpenAPI document has them.

export interface EnqueueOptions {
  /** Same key and same job: the same answer, for 24 hours. Default: a random one. */
  key?: string;
  priority?: 'high' | 'normal' | 'low';
  /** Milliseconds from now; not together with `runAt`. */
  delayMs?: number;
  runAt?: Date | string;
  signal?: AbortSignal;
}

export interface EnqueuedJob<Kind = string> {
  id: string;
  kind: Kind;
  queue: string;
  state: string;
  createdAt: string;
  /** The key had been used: this is the first job. */
  repeated: boolean;
}

export interface JobStatus {
  id: string;
  kind: string;
  queue: string;
  state: string;
  final: boolean;
  priority: string;
  createdAt: string;
  runAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** Somebody asked for its end; what runs is told within seconds. */
  cancelRequestedAt: string | null;
  progress: { percent: number; message: string | null };
  result: unknown;
  error: { code: string; message: string } | null;
  /** Why a parked job rests, and what sets it free. */
  parkedReason?: string | null;
  attempt: { number: number; failures: number; of: number };
  children: { id: string; kind: string; state: string }[];
  /** Every job below the root of the family. `unsuccessful`: ended in another way than `succeeded`, the dead among them. */
  tree: { total: number; open: number; dead: number; unsuccessful: number };
  parentId: string | null;
  rootId: string | null;
  /** The id of the request that enqueued it. */
  requestId: string | null;
  /** The last 20, newest last. */
  attempts?: AttemptStatus[];
  steps?: { name: string; attempt: number; durationMs: number; microUsd: number }[];
}

export interface AttemptStatus {
  attempt: number;
  generation: number;
  outcome: string;
  code: string | null;
  message: string | null;
  workerId: string | null;
  startedAt: string;
  /** Null while it runs. */
  endedAt: string | null;
}

/** What became of a cancel: `state` as it is now, of a job that runs not yet `cancelled`. */
export interface CancelledJob {
  id: string;
  state: string;
  cancelRequested: boolean;
}

export interface WaitOptions {
  /** Default ten minutes. */
  timeoutMs?: number;
  /** Also wait for everything the job gave birth to. */
  tree?: boolean;
  signal?: AbortSignal;
  /** Called with every change that was seen. */
  onProgress?: (job: JobStatus) => void;
}

export interface GateStatus {
  /** `probing`: its time is over, and one call at a time is let through to see whether the provider is back. */
  state: 'open' | 'closed' | 'probing';
  /** A failure code, or `operator`. */
  reason: string | null;
  note: string | null;
  by: string | null;
  since: string | null;
  until: string | null;
}

/** An outside service as the operators see it. */
export interface ProviderStatus {
  provider: string;
  /** The worst of its gates. */
  gate: GateStatus;
  /** Calls at once that the vendor allows, as it said last. */
  maxCalls: number | null;
  /** Calls, their share of errors (0 to 1) and their 95th percentile are of so many seconds. */
  windowSeconds: number;
  calls: number;
  errorShare: number | null;
  p95Ms: number | null;
  /** Estimated, in millionths of a dollar, since midnight UTC. */
  spentTodayMicroUsd: number;
  /** What is closed on its own: each model of gemini; of the others the whole. Older APIs do not tell it. */
  gates?: (GateStatus & { name: string; maxCalls: number | null })[];
}
