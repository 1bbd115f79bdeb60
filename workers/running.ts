// The attempts that run in this process: their leases are renewed together, their aborts come from here.
// When renewals fail for too long every attempt is aborted, because another worker may have its job by then.
import { Failure, toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import type { Attempts } from '../ledger/attempts.ts';
import type { Begun } from '../ledger/begin.ts';

/** Why a signal aborted, when it was not the job's own fault. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface RunningAttempt {
  begun: Begun;
  controller: AbortController;
  /** What the handler last said of its progress, until it is written. */
  progress?: { percent: number; message: string | null };
}

export interface RunningOptions {
  attempts: Attempts;
  leaseMs: number;
  renewMs: number;
  emit: Emit;
}

export interface Running {
  add: (attempt: RunningAttempt) => void;
  remove: (attempt: RunningAttempt) => void;
  readonly size: number;
  /** Aborts every attempt, so that it is handed back without using an attempt up. */
  interrupt: (reason: string) => void;
  /** Resolves when nothing runs. */
  empty: () => Promise<void>;
  stop: () => void;
}

export function createRunning(options: RunningOptions): Running {
  const attempts = new Map<string, RunningAttempt>();
  const waiting: (() => void)[] = [];
  let renewedAt = performance.now();
  let renewing = false;

  async function renew(): Promise<void> {
    if (attempts.size === 0) {
      renewedAt = performance.now();
      return;
    }
    const leases = [...attempts.values()].map(({ begun }) => ({
      jobId: begun.jobId,
      attemptNo: begun.attemptNo,
    }));
    const { lost, cancelled } = await options.attempts.renew(leases);
    renewedAt = performance.now();
    for (const id of lost)
      attempts.get(id)?.controller.abort(new LeaseLost('another worker has taken the job over'));
    for (const id of cancelled)
      attempts.get(id)?.controller.abort(new Failure('cancelled', 'the job was cancelled'));
  }

  async function tick(): Promise<void> {
    if (renewing) return;
    renewing = true;
    try {
      await renew();
    } catch (thrown) {
      options.emit('notice', {
        level: 'warn',
        message: `leases could not be renewed: ${toError(thrown).message}`,
      });
      // Two thirds of the lease have passed in silence: stop before the next paid call, not after it.
      if (performance.now() - renewedAt > (options.leaseMs * 2) / 3)
        abortAll(new LeaseLost('leases could not be renewed in time'));
    } finally {
      renewing = false;
    }
  }

  function abortAll(reason: Error): void {
    for (const { controller } of attempts.values()) controller.abort(reason);
  }

  async function writeProgress(): Promise<void> {
    const changed = [...attempts.values()].filter((attempt) => attempt.progress !== undefined);
    if (changed.length === 0) return;
    const notes = changed.map(({ begun, progress }) => ({
      jobId: begun.jobId,
      attemptNo: begun.attemptNo,
      percent: progress?.percent ?? 0,
      message: progress?.message ?? null,
    }));
    for (const attempt of changed) delete attempt.progress;
    await options.attempts.progress(notes);
  }

  const renewal = setInterval(() => void tick(), options.renewMs);
  const progress = setInterval(() => void writeProgress().catch(() => undefined), 1_000);
  return {
    add: (attempt) => void attempts.set(attempt.begun.jobId, attempt),
    remove(attempt) {
      if (attempts.get(attempt.begun.jobId) === attempt) attempts.delete(attempt.begun.jobId);
      if (attempts.size === 0) for (const resolve of waiting.splice(0)) resolve();
    },
    get size() {
      return attempts.size;
    },
    interrupt: (reason) => abortAll(new Interrupted(reason)),
    empty: () =>
      attempts.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
    stop() {
      clearInterval(renewal);
      clearInterval(progress);
    },
  };
}
