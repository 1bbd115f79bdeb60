// Builds the Job that a handler sees: steps that remember, children that are born with the outcome, progress, signal.
import type { Call, Charge } from '../shared/call.ts';
import { Failure } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { sanitiseText } from '../shared/text.ts';
import { checkJob } from '../queues/check.ts';
import type { Registry } from '../queues/registry.ts';
import type { Begun } from '../ledger/begin.ts';
import type { Db } from '../ledger/db.ts';
import type { Child } from '../ledger/family.ts';
import { commitLostCharges, commitStep, readSteps, type Remembered } from '../ledger/steps.ts';
import type { Job } from './define.ts';
import { persist } from './persist.ts';

export interface JobContext {
  begun: Begun;
  payload: unknown;
  signal: AbortSignal;
  registry: Registry;
  db: Db;
  emit: Emit;
  onProgress: (percent: number, message: string | null) => void;
}

/** The handler's view, and the children it asked for. */
export function buildJob(context: JobContext): { job: Job; children: Child[] } {
  const { begun, registry, signal } = context;
  const children: Child[] = [];

  const job: Job = {
    id: begun.jobId,
    kind: begun.kind,
    tenant: begun.tenant,
    payload: context.payload,
    attempt: begun.attemptNo,
    signal,
    step: rememberedSteps(context),
    enqueue(kind, payload, options = {}) {
      children.push({
        job: checkJob(registry, { kind, payload }, Date.now()),
        waits: options.after === 'siblings',
      });
    },
    progress(percent, message) {
      const clamped = Math.max(0, Math.min(100, Math.round(percent)));
      context.onProgress(clamped, message === undefined ? null : sanitiseText(message, 200));
    },
  };
  return { job, children };
}

/** Steps of one attempt: each name once; a stored result is returned, anything else is run and stored. */
function rememberedSteps(context: JobContext): Job['step'] {
  const { begun, signal } = context;
  const used = new Set<string>();
  let remembered: Promise<Map<string, unknown>> | undefined;

  function recall(): Promise<Map<string, unknown>> {
    // A first attempt has nothing to remember: no query for the most common case.
    remembered ??=
      begun.attemptNo === 1
        ? Promise.resolve(new Map<string, unknown>())
        : readSteps(context.db, begun.jobId);
    return remembered;
  }

  async function step(
    name: string,
    call: StepCall<unknown>,
    options: { save?: unknown } = {},
  ): Promise<unknown> {
    if (used.has(name))
      throw new Failure('bug', `step failed: ${name} is used twice in one job; give each step its own name`);
    used.add(name);
    const steps = await persist(recall, signal);
    if (!steps.has(name)) return runStep(context, name, call, options.save);
    context.emit('step.ended', { ...factsOf(begun), step: name, result: 'remembered', durationMs: 0 });
    return steps.get(name);
  }

  return step as Job['step'];
}

type StepCall<T> = (call: Call) => Promise<T>;

async function runStep<T>(
  context: JobContext,
  name: string,
  call: StepCall<T>,
  save: unknown,
): Promise<Remembered<T>> {
  const { begun, db, emit, signal } = context;
  const charges: Charge[] = [];
  const start = performance.now();
  signal.throwIfAborted(); // no paid call is started by an attempt that is over
  let value: T;
  try {
    value = await call({
      step: `${begun.jobId}:${name}`,
      signal,
      charge: (charge) => void charges.push(charge),
    });
  } catch (thrown) {
    await commitLostCharges(db, begun, name, charges).catch(() => undefined); // the failure itself is what must be told
    throw thrown;
  }
  const durationMs = Math.round(performance.now() - start);
  const commit = {
    name,
    value,
    charges,
    durationMs,
    ...(typeof save === 'function' && { save: save as never }),
  };
  // The answer is paid for and in our hands: the ledger's absence must not lose it, so the signal of a mere timeout
  // does not end the attempts to store it; fencing does, when the job has been given to somebody else.
  const stored = await persist(() => commitStep(db, begun, commit), signal);
  charges.forEach(({ provider, model }, index) =>
    emit('charge.recorded', { provider, model, microUsd: stored.microUsd[index] ?? 0 }),
  );
  emit('step.ended', { ...factsOf(begun), step: name, result: 'ran', durationMs });
  return stored.value;
}

function factsOf(begun: Begun): { jobId: string; queue: string; kind: string } {
  return { jobId: begun.jobId, queue: begun.queue, kind: begun.kind };
}
