// One attempt of a provider call: its own deadline, the job's stop, one event, one Failure when it fails.
// Whether it was our deadline or the job that ended it is decided by our own signals, never by an SDK's error text.
// An answer that arrives in spite of a stop is kept: it is paid.
import type { Emit } from '../shared/events.ts';
import { Failure } from '../shared/errors.ts';
import { nameOf, toFailure, type Diagnosis } from './failure.ts';
import { diagnoseNetwork } from './network.ts';

export interface AttemptOptions {
  /** The job's side: its signal ends the attempt and the waiting between attempts. */
  call: { signal: AbortSignal };
  /** Milliseconds one attempt may take. */
  deadlineMs: number;
  /** Whether an attempt without an answer may be charged (or delivered); asked after it has failed. */
  paid: boolean | (() => boolean);
  /** Left out: true. Whether its end says that the provider is well, or is not: a question about the past says nothing of the calls of now. */
  proves?: false;
  /** What the SDK's own errors mean, given whether a repeat may cost once more; undefined for those it does not know. */
  translate: (error: unknown, paid: boolean) => Diagnosis | undefined;
}

export type Work<T> = (attempt: { signal: AbortSignal }) => Promise<T>;

export interface AttemptContext {
  provider: string;
  gate: string;
  operation: string;
  emit: Emit;
  now: () => number;
  /** Milliseconds an attempt may take to notice its stop before it is left behind. */
  graceMs: number;
}

type Ended = 'job' | 'deadline' | undefined;

/** Not AbortSignal.any and AbortSignal.timeout: on Node 20 a composite signal may be collected before it fires. */
function stopwatch(options: AttemptOptions) {
  const controller = new AbortController();
  let ended: Ended;
  const end = (by: Ended) => {
    ended ??= by;
    controller.abort();
  };
  const onJob = () => {
    end('job');
  };
  const timer = setTimeout(() => {
    end('deadline');
  }, options.deadlineMs);
  options.call.signal.addEventListener('abort', onJob, { once: true });
  return {
    signal: controller.signal,
    ended: () => ended,
    clear() {
      clearTimeout(timer);
      options.call.signal.removeEventListener('abort', onJob);
    },
  };
}

/** Settles with the work; a work that ignores its stop is left behind after the grace, so no call hangs for ever. */
function settled<T>(work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    signal.addEventListener(
      'abort',
      () => {
        timer = setTimeout(() => {
          reject(new Error('the call did not stop when it was told to'));
        }, graceMs);
      },
      { once: true },
    );
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

function diagnose(error: unknown, ended: Ended, options: AttemptOptions): Diagnosis {
  const paid = typeof options.paid === 'function' ? options.paid() : options.paid;
  if (ended === 'job') return { code: 'cancelled', why: 'the job was stopped' };
  if (ended === 'deadline') {
    const why = `no answer within ${options.deadlineMs} ms`;
    return { code: paid ? 'unknown_outcome' : 'timeout', why };
  }
  return (
    options.translate(error, paid) ??
    diagnoseNetwork(error, paid) ?? { code: 'bug', why: `an error nobody expected (${nameOf(error)})` }
  );
}

function failureOf(context: AttemptContext, error: unknown, diagnosis: Diagnosis): Failure {
  const failure = toFailure(context, diagnosis);
  // Only a bug keeps its cause: an SDK's error holds the request, with the key and the child's data.
  if (diagnosis.code === 'bug') failure.cause = error;
  return failure;
}

export function stopped(context: AttemptContext): Failure {
  return toFailure(context, { code: 'cancelled', why: 'the job was stopped' });
}

/** Runs the work once. Throws nothing but a Failure; emits `provider.called` when a call was made. */
export async function attemptOnce<T>(
  context: AttemptContext,
  options: AttemptOptions,
  work: Work<T>,
): Promise<T> {
  if (options.call.signal.aborted) throw stopped(context);
  const { provider, operation, now } = context;
  const startedAt = now();
  const watch = stopwatch(options);
  const tell = (outcome: 'ok' | Failure['code']) => {
    context.emit('provider.called', { provider, operation, outcome, durationMs: now() - startedAt });
  };
  let value: T;
  try {
    value = await settled(work({ signal: watch.signal }), watch.signal, context.graceMs);
  } catch (error) {
    const failure =
      error instanceof Failure ? error : failureOf(context, error, diagnose(error, watch.ended(), options));
    tell(failure.code);
    throw failure;
  } finally {
    watch.clear();
  }
  tell('ok');
  return value;
}
