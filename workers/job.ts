// Builds the Job that a handler sees: steps that remember, children that are born with the outcome, progress, signal.
import type { Call, Charge } from '../shared/call.ts';
import { Failure, toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { reach } from '../shared/points.ts';
import { sanitiseText } from '../shared/text.ts';
import { checkJob } from '../queues/check.ts';
import type { Registry } from '../queues/registry.ts';
import { keepFile } from '../ledger/artifact-parts.ts';
import type { Begun } from '../ledger/begin.ts';
import type { Db } from '../ledger/db.ts';
import type { Child } from '../ledger/family.ts';
import { commitLostCharges, commitStep, mayHaveLost, readSteps, type Remembered } from '../ledger/steps.ts';
import { afford } from './afford.ts';
import type { Job, Keep } from './define.ts';
import { persist } from './persist.ts';
import { LeaseLost } from './running.ts';
import type { Stop } from './stop.ts';

export interface JobContext {
  begun: Begun;
  payload: unknown;
  stop: Stop;
  registry: Registry;
  db: Db;
  emit: Emit;
  onProgress: (percent: number, message: string | null) => void;
  /** Makes the begin outlive a crash of PostgreSQL; false when the attempt is no longer ours. */
  secure: () => Promise<boolean>;
  /** Millionths of a dollar a day for a tenant without a budget of its own; left out: no limit. */
  dayMicroUsd?: number | undefined;
  /** Aborts when the process must leave: until then an answer that is paid for is tried to be stored. */
  leaving: AbortSignal;
}

export interface BuiltJob {
  job: Job;
  /** The children it asked for. */
  children: Child[];
  /**
   * Resolves when no step is under way. A handler that awaits several steps at once ends with the first failure, and an
   * attempt that ended then would refuse the answers that the others are still paying for.
   */
  settled: () => Promise<void>;
  /** Resolves when no answer in our hands is still being stored. */
  stored: () => Promise<void>;
  /** Whether one is. */
  storing: () => boolean;
  /** Whether a step was not begun because the process is about to leave. */
  refused: () => boolean;
}

/** The handler's view, and what the host needs to end it. */
export function buildJob(given: JobContext): BuiltJob {
  const { begun, registry, stop } = given;
  const children: Child[] = [];
  const steps = new Set<Promise<unknown>>();
  const commits = new Set<Promise<unknown>>();
  const { admit, refused } = admission(stop);
  let remembered: Memory | undefined; // made with the first use: many jobs have no steps
  const memory = (): Memory =>
    (remembered ??= rememberedSteps({ ...given, admit, commit: (work) => track(commits, work) }));

  const job: Job = {
    id: begun.jobId,
    kind: begun.kind,
    tenant: begun.tenant,
    payload: given.payload,
    attempt: begun.attemptNo,
    lastTry: begun.failures + 1 >= (registry.find(begun.kind)?.retry.attempts ?? 1),
    get signal() {
      return stop.signal;
    },
    step: (name, call, options) => track(steps, memory().step(name, call, options)),
    remembers: (name) => memory().remembers(name),
    enqueue(kind, payload, options = {}) {
      children.push({
        job: checkJob(registry, { kind, payload }, Date.now()),
        waits: options.after === 'siblings',
      });
    },
    progress(percent, message) {
      const clamped = Math.max(0, Math.min(100, Math.round(percent))) || 0; // NaN too
      given.onProgress(clamped, message === undefined ? null : sanitiseText(message, 200));
    },
  };
  const storing = (): boolean => commits.size > 0;
  return { job, children, settled: () => empty(steps), stored: () => empty(commits), storing, refused };
}

function admission(stop: Stop): { admit: () => void; refused: () => boolean } {
  let refused = false;
  return {
    admit() {
      if (stop.reason !== undefined) throw stop.reason; // no paid call is started by an attempt that is over
      if (stop.closed === undefined) return;
      refused = true;
      throw stop.closed;
    },
    refused: () => refused,
  };
}

function track<T>(under: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  const forget = (): void => void under.delete(work);
  under.add(work);
  work.then(forget, forget);
  return work;
}

async function empty(under: ReadonlySet<Promise<unknown>>): Promise<void> {
  while (under.size > 0) await Promise.allSettled(under);
}

/** Reads once what earlier attempts stored. */
function recaller({ begun, db }: JobContext): () => Promise<Map<string, unknown>> {
  let remembered: Promise<Map<string, unknown>> | undefined;
  return () => {
    // A first attempt has nothing to remember: no query for the most common case.
    remembered ??=
      begun.attemptNo === 1
        ? Promise.resolve(new Map<string, unknown>())
        : readSteps(db, begun.jobId).catch((thrown: unknown) => {
            remembered = undefined; // the next try must ask again, not be told of the same failure
            throw thrown;
          });
    return remembered;
  };
}

type Memory = Pick<Job, 'step' | 'remembers'>;

/** Steps of one attempt: each name once; a stored result is returned, anything else is run and stored. */
function rememberedSteps(context: StepContext): Memory {
  const { begun, stop } = context;
  const recall = recaller(context);
  const used = new Set<string>();
  let secured: Promise<boolean> | undefined;
  let lost: Promise<boolean> | undefined;

  async function step(
    name: string,
    call: StepCall<unknown>,
    options: { save?: unknown } = {},
  ): Promise<unknown> {
    if (used.has(name))
      throw new Failure('bug', `step failed: ${name} is used twice in one job; give each step its own name`);
    used.add(name);
    const steps = await persist(recall, stop.signal);
    if (!steps.has(name)) {
      // An answer that is paid for by an attempt which PostgreSQL then forgets would be refused, and paid for again.
      secured ??= context.secure();
      if (!(await secured)) throw new LeaseLost('the ledger does not know this attempt');
      lost ??= persist(() => mayHaveLost(context.db, begun), stop.signal);
      return runStep({ ...context, lost: await lost }, name, call, options.save);
    }
    context.emit('step.ended', { ...factsOf(begun), step: name, result: 'remembered', durationMs: 0 });
    return steps.get(name);
  }

  async function remembers(name: string): Promise<boolean> {
    return (await persist(recall, stop.signal)).has(name);
  }

  return { step: step as Job['step'], remembers };
}

type StepCall<T> = (call: Call, keep: Keep) => Promise<T>;

interface StepContext extends JobContext {
  /** Throws when no step may begin any more. */
  admit: () => void;
  /** An earlier attempt may have lost an answer. */
  lost?: boolean;
  commit: <T>(work: Promise<T>) => Promise<T>;
}

async function runStep<T>(
  context: StepContext,
  name: string,
  call: StepCall<T>,
  save: unknown,
): Promise<Remembered<T>> {
  const { begun, db, emit, leaving } = context;
  const { signal } = context.stop;
  const charges: Charge[] = [];
  const start = performance.now();
  context.admit();
  try {
    const keep: Keep = (chunks) => keepFile({ db, begun, signal }, chunks);
    const value = await call(callOf(context, name, charges), keep);
    const durationMs = Math.round(performance.now() - start);
    reach('step.answered', begun.jobId, begun.kind, name);
    const commit = {
      name,
      value,
      charges: [...charges],
      durationMs,
      ...(typeof save === 'function' && { save: save as never }),
    };
    // The answer is paid for and in our hands: neither a timeout nor a silent ledger ends the attempts to store it;
    // fencing does, when the job has been given to somebody else.
    const stored = await context.commit(persist(() => commitStep(db, begun, commit), leaving));
    announce(context, charges, stored.microUsd);
    emit('step.ended', { ...factsOf(begun), step: name, result: 'ran', durationMs });
    return stored.value;
  } catch (thrown) {
    await context.commit(recordLost(context, name, charges));
    throw thrown;
  }
}

function callOf(
  { begun, db, emit, stop, dayMicroUsd, lost }: StepContext,
  name: string,
  charges: Charge[],
): Call {
  const { signal } = stop;
  return {
    step: `${begun.jobId}:${name}`,
    signal,
    charge: (charge) => void charges.push(charge),
    afford: (provider) => afford({ db, emit, signal, tenant: begun.tenant, dayMicroUsd }, provider),
    ...(lost === true && { mayHaveRunSinceMs: begun.createdMs }),
  };
}

/** The call was accepted and the step was not stored: the money is gone all the same. */
async function recordLost(context: StepContext, name: string, charges: readonly Charge[]): Promise<void> {
  const { begun, db, emit, leaving } = context;
  try {
    const microUsd = await persist(() => commitLostCharges(db, begun, name, charges), leaving);
    announce(context, charges, microUsd);
  } catch (thrown) {
    const message = `the charges of step ${name} could not be written: ${toError(thrown).message}`;
    emit('notice', { level: 'error', message, facts: { ...factsOf(begun) } });
  }
}

function announce({ emit }: JobContext, charges: readonly Charge[], microUsd: readonly number[]): void {
  charges.forEach(({ provider, model }, index) =>
    emit('charge.recorded', { provider, model, microUsd: microUsd[index] ?? 0 }),
  );
}

function factsOf(begun: Begun): { jobId: string; queue: string; kind: string } {
  return { jobId: begun.jobId, queue: begun.queue, kind: begun.kind };
}
