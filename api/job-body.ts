// A job as the API shows it: the view of the ledger in the words of the contract. The payload is never part of it.
import { priorities, type Priority } from '../queues/check.ts';
import type { Registry } from '../queues/registry.ts';
import { isFinal, type JobState } from '../ledger/moves.ts';
import type { AttemptView, JobView, StepView } from '../ledger/queries-jobs.ts';

export interface JobBody {
  id: string;
  kind: string;
  queue: string;
  state: JobState;
  /** Nothing about it will change any more. */
  final: boolean;
  priority: Priority;
  createdAt: Date;
  runAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  cancelRequestedAt: Date | null;
  /** 0 to 100, and what the job says about it. */
  progress: { percent: number; message: string | null };
  result: unknown;
  error: { code: string; message: string } | null;
  /** Why a parked job rests, and what sets it free; null in every other state. */
  parkedReason: string | null;
  /** The attempts so far, how many of them counted, and how many may count. */
  attempt: { number: number; failures: number; of: number };
  children: JobView['children'];
  tree: JobView['tree'];
  parentId: string | null;
  rootId: string | null;
  requestId: string | null;
  /** With `include=attempts`: the last 20, newest last. */
  attempts?: readonly AttemptView[];
  /** With `include=steps`; `microUsd` is estimated, in millionths of a dollar. */
  steps?: readonly StepView[];
}

export function jobBody(registry: Registry, job: JobView): JobBody {
  return {
    id: job.id,
    kind: job.kind,
    queue: job.queue,
    state: job.state,
    final: isFinal(job.state),
    priority: priorityName(job.priority),
    createdAt: job.createdAt,
    runAt: job.runAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    cancelRequestedAt: job.cancelRequestedAt,
    progress: { percent: job.progress, message: job.progressMessage },
    result: job.result ?? null,
    error: errorOf(job),
    parkedReason: job.state === 'parked' ? job.errorMessage : null,
    attempt: attemptCounts(registry, job),
    children: job.children,
    tree: job.tree,
    parentId: job.parentId,
    rootId: job.rootId,
    requestId: job.requestId,
    ...(job.attempts === undefined ? {} : { attempts: job.attempts }),
    ...(job.steps === undefined ? {} : { steps: job.steps }),
  };
}

/** What a job that never ran expired of has no code of an attempt: its state is its code. */
function errorOf({ state, errorCode, errorMessage }: JobView): JobBody['error'] {
  const code = errorCode ?? (state === 'expired' ? state : null);
  return code === null ? null : { code, message: errorMessage ?? '' };
}

function attemptCounts(registry: Registry, job: JobView): JobBody['attempt'] {
  const of = registry.find(job.kind)?.retry.attempts ?? job.failures;
  return { number: job.attemptNo, failures: job.failures, of };
}

function priorityName(priority: number): Priority {
  if (priority <= priorities.high) return 'high';
  return priority <= priorities.normal ? 'normal' : 'low';
}
