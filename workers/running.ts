// The attempts that run in this process: their leases are renewed together, their aborts come from here.
// When renewals fail for too long every attempt is aborted, because another worker may have its job by then.
import { Failure, toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import type { Attempts } from '../ledger/attempts.ts';
import type { Begun } from '../ledger/begin.ts';
import type { Stop } from './stop.ts';

/** Why a signal aborted, when it was not the job's own fault. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface RunningAttempt {
  begun: Begun;
  stop: Stop;
  /** performance.now() when it was added: its begin gave it a lease of its own. */
  heldAt?: number;
  /** What the handler last said of its progress, until it is written. */
  progress?: { percent: number; message: string | null };
}

export interface RunningOptions {
  attempts: Attempts;
  leaseMs: number;
  renewMs: number;
  emit: Emit;
}

/** The attempts under way. Made with `start()`, ended with `stop()`. */
export class Running {
  readonly #options: RunningOptions;
  readonly #attempts = new Map<string, RunningAttempt>();
  readonly #timers: NodeJS.Timeout[] = [];
  #waiting: (() => void)[] = [];
  #renewedAt = performance.now();
  /** When the renewal under way was sent; undefined when none is. */
  #askedAt: number | undefined;
  /** The next renewal, when a row was locked or the question failed: sooner than usual, or two in a row would cost the lease. */
  #again: NodeJS.Timeout | undefined;
  #closing: Interrupted | undefined;
  #interrupted: Interrupted | undefined;

  constructor(options: RunningOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timers.push(setInterval(() => void this.#tick(), this.#options.renewMs));
    this.#timers.push(
      setInterval(() => setImmediate(() => this.#checkSilence()), this.#options.leaseMs / 15),
    );
    // Progress that cannot be written is told again with the next change: it is a courtesy, not a fact.
    this.#timers.push(setInterval(() => void this.#writeProgress().catch(() => undefined), 1_000));
  }

  add(attempt: RunningAttempt): void {
    // The job came back while an attempt of it still runs here: that one was given up on, and must not pay any more.
    this.#attempts
      .get(attempt.begun.jobId)
      ?.stop.abort(new LeaseLost('a later attempt of the job has begun'));
    // Begun while the process stops, e.g. after a wait for the ledger.
    if (this.#closing !== undefined) attempt.stop.close(this.#closing);
    if (this.#interrupted !== undefined) attempt.stop.abort(this.#interrupted);
    attempt.heldAt = performance.now();
    this.#attempts.set(attempt.begun.jobId, attempt);
  }

  remove(attempt: RunningAttempt): void {
    if (this.#attempts.get(attempt.begun.jobId) === attempt) this.#attempts.delete(attempt.begun.jobId);
    if (this.#attempts.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** No attempt begins another step: one cut off in the middle of a paid call might have to pay for it again. */
  close(reason: string): void {
    this.#closing = new Interrupted(reason);
    for (const { stop } of this.#attempts.values()) stop.close(this.#closing);
  }

  /** Aborts every attempt, also those that begin later, so that it is handed back without using an attempt up. */
  interrupt(reason: string): void {
    this.#interrupted = new Interrupted(reason);
    this.#abortAll(this.#interrupted);
  }

  /** Resolves when nothing runs. */
  async empty(): Promise<void> {
    if (this.#attempts.size > 0) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  stop(): void {
    for (const timer of [...this.#timers, this.#again]) clearInterval(timer);
  }

  async #tick(): Promise<void> {
    if (this.#askedAt !== undefined) return;
    this.#askedAt = performance.now();
    try {
      await this.#renew();
    } catch (thrown) {
      this.#options.emit('notice', {
        level: 'warn',
        message: `leases could not be renewed: ${toError(thrown).message}`,
      });
      if (this.#isSilent()) this.#loseAll();
      else this.#askSoon();
    } finally {
      this.#askedAt = undefined;
    }
  }

  #askSoon(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.#tick(), this.#options.renewMs / 10).unref();
  }

  /**
   * Two thirds of the lease have passed in silence: stop before the next paid call. A renewal may itself hang for seconds.
   * Asked after a turn of the event loop, and only when a question is open: when this process itself stood still (a long
   * computation, a machine under load) the answer may be here already, or the question may not have been put yet.
   */
  #checkSilence(): void {
    if (!this.#isSilent()) return;
    if (this.#askedAt === undefined) void this.#tick();
    else if (performance.now() - this.#askedAt > this.#options.leaseMs / 15) this.#loseAll();
  }

  #isSilent(since = this.#renewedAt): boolean {
    return performance.now() - since > (this.#options.leaseMs * 2) / 3;
  }

  /** Not those that have begun since: aborted, too, they would be begun and aborted again and again behind a slow ledger. */
  #loseAll(): void {
    const old = [...this.#attempts.values()].filter(
      ({ stop, heldAt }) => stop.reason === undefined && this.#isSilent(heldAt),
    );
    if (old.length === 0) return;
    const reason = new LeaseLost('leases could not be renewed in time');
    for (const { stop } of old) stop.abort(reason);
    this.#options.emit('notice', {
      level: 'warn',
      message: `attempts given up, their leases could not be renewed in time: ${old.length}`,
    });
  }

  async #renew(): Promise<void> {
    // The attempts of now: a job may end and begin again here while the renewal is under way.
    const held = new Map(this.#attempts);
    const leases = [...held.values()].map(({ begun }) => ({
      jobId: begun.jobId,
      attemptNo: begun.attemptNo,
    }));
    const { lost, cancelled, locked } = await this.#options.attempts.renew(leases);
    this.#renewedAt = performance.now();
    clearTimeout(this.#again);
    if (locked > 0) this.#askSoon();
    // One that has ended meanwhile is no longer running for the ledger either: that is no loss.
    const running = (id: string): RunningAttempt | undefined =>
      this.#attempts.get(id) === held.get(id) ? held.get(id) : undefined;
    for (const id of lost) running(id)?.stop.abort(new LeaseLost('another worker has taken the job over'));
    for (const id of cancelled) running(id)?.stop.abort(new Failure('cancelled', 'the job was cancelled'));
  }

  async #writeProgress(): Promise<void> {
    const changed = [...this.#attempts.values()].filter((attempt) => attempt.progress !== undefined);
    if (changed.length === 0) return;
    const notes = changed.map(({ begun: { jobId, attemptNo }, progress }) => ({
      jobId,
      attemptNo,
      percent: progress?.percent ?? 0,
      message: progress?.message ?? null,
    }));
    for (const attempt of changed) delete attempt.progress;
    await this.#options.attempts.progress(notes);
  }

  #abortAll(reason: Error): void {
    for (const { stop } of this.#attempts.values()) stop.abort(reason);
  }
}
