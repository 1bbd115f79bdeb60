// WorkerHost hosts the handlers of one queue: takes a delivery, begins the attempt (or is refused), runs the handler,
// writes the outcome in the ledger, and only then lets the engine end its job. Nothing else writes outcomes.
import { Failure, toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { isId } from '../shared/ids.ts';
import { reach } from '../shared/points.ts';
import { toStorableJson } from '../shared/text.ts';
import type { Delivery, Ending } from '../engine/types.ts';
import type { Attempts } from '../ledger/attempts.ts';
import type { Begun } from '../ledger/begin.ts';
import type { Db } from '../ledger/db.ts';
import type { Child } from '../ledger/family.ts';
import type { Finished, Verdict } from '../ledger/finish.ts';
import type { RegisteredKind, Registry } from '../queues/registry.ts';
import { upgradePayload } from '../queues/versions.ts';
import type { Services, WorkerDefinition } from './define.ts';
import { buildJob } from './job.ts';
import { toFailure, verdictOf } from './outcome.ts';
import { outageOf } from './outage.ts';
import { runnable, type Runnable } from './parking.ts';
import { persist } from './persist.ts';
import { refusal, report, type Reported } from './ending.ts';
import { Interrupted, LeaseLost, type Running, type RunningAttempt } from './running.ts';
import { Stop } from './stop.ts';

export interface HostOptions {
  definition: WorkerDefinition;
  registry: Registry;
  attempts: Attempts;
  running: Running;
  db: Db;
  services: Services;
  emit: Emit;
  workerId: string;
  /** Millionths of a dollar a day for a tenant without a budget of its own; left out: no limit. */
  dayMicroUsd?: number | undefined;
  /** How long a provider's gate is closed for a job that would die of an outage, in ms; left out: it dies. */
  shutMs?: number | undefined;
  /** Aborts when the process must leave: waits for an absent ledger end. */
  leaving: AbortSignal;
  /** A handler went on for too long after its abort: its slot was taken back, its code still runs. */
  onAbandoned?: () => void;
}

/** How long a handler may ignore its aborted signal before its slot is taken back, in ms. */
const ignoreLimitMs = 5_000;
/** The same when the process leaves: the job is handed back while there is time. */
const leaveLimitMs = 400;
const resultLimitBytes = 65_536;

interface Run extends Reported {
  attempt: RunningAttempt;
  /** Resolves when no answer in our hands is still being stored. */
  stored?: () => Promise<void>;
  storing?: () => boolean;
  /** Whether a step was not begun because the process is about to leave. */
  refused?: () => boolean;
}

type Able = Exclude<Runnable, { parked: Verdict }>;

interface Ended {
  verdict: Verdict;
  children: readonly Child[];
}

export class WorkerHost {
  readonly #options: HostOptions;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Runs one delivery to its end. Never rejects: the answer says how the engine's job ends. */
  async process(delivery: Delivery): Promise<Ending> {
    try {
      return await this.#process(delivery);
    } catch (thrown) {
      // The process leaves while the ledger is away: the rescuer brings the job back. On Bull Board failed means dead.
      const message = `a delivery of ${delivery.queue} could not be recorded: ${toError(thrown).message}`;
      this.#options.emit('notice', { level: 'warn', message });
      return { failed: false, outcome: 'unrecorded' };
    }
  }

  async #process(delivery: Delivery): Promise<Ending> {
    const { attempts, running, leaving, registry, definition } = this.#options;
    const { jobId, generation } = delivery.data;
    // Somebody else's entry in our engine: one bad id would refuse the whole batch of begins.
    if (!isId(jobId) || !isGeneration(generation)) return { failed: false, outcome: 'gone' };
    const answer = await persist(() => attempts.begin({ jobId, generation }), leaving);
    if ('refused' in answer) return refusal(answer);
    reach('attempt.begun', jobId, answer.begun.kind);
    const run: Run = {
      begun: answer.begun,
      startedAt: performance.now(),
      attempt: { begun: answer.begun, stop: new Stop() },
    };
    running.add(run.attempt);
    try {
      const able = runnable(answer.begun, registry.find(answer.begun.kind), definition.handlers);
      const ended =
        'parked' in able ? { verdict: able.parked, children: [] } : await this.#run(run, delivery, able);
      const { verdict, finished } = await this.#finish(run, ended);
      return report(this.#options, run, verdict, finished);
    } finally {
      running.remove(run.attempt);
    }
  }

  async #run(run: Run, delivery: Delivery, able: Able): Promise<Ended> {
    const { begun, attempt } = run;
    const { kind } = able;
    const { stop } = attempt;
    const limit = setTimeout(() => {
      stop.abort(new Failure('timeout', `the attempt took more than ${kind.timeoutMs} ms`));
    }, kind.timeoutMs);
    try {
      return await abandonable(this.#handle(run, delivery, able), stop, () => this.#countAbandoned(run));
    } catch (thrown) {
      await run.stored?.(); // an answer that is being stored must not find its own attempt ended
      const closed = run.refused?.() === true ? attempt.stop.closed : thrown;
      return {
        verdict: await this.#judge(begun, kind, stop.reason ?? closed),
        children: [],
      };
    } finally {
      clearTimeout(limit);
    }
  }

  /** One that waits for the ledger with an answer in its hands, or lost its lease with it, is not one that hangs. */
  #countAbandoned({ attempt, storing }: Run): void {
    const waits = attempt.stop.reason instanceof LeaseLost || storing?.() === true;
    if (!waits) this.#options.onAbandoned?.();
  }

  async #handle(run: Run, delivery: Delivery, { kind, handler }: Able): Promise<Ended> {
    const { begun, attempt } = run;
    const { registry, db, emit, services, leaving, attempts } = this.#options;
    const current = upgradePayload(kind, begun.payloadVersion, begun.payload);
    const payload = kind.definition.payload.safeParse(current);
    if (!payload.success)
      throw new Failure('bad_input', `the payload no longer fits ${begun.kind}: ${payload.error.message}`);
    const { job, children, settled, refused, ...answers } = buildJob({
      begun,
      payload: payload.data,
      stop: attempt.stop,
      registry,
      db,
      emit,
      leaving,
      dayMicroUsd: this.#options.dayMicroUsd,
      secure: () => persist(() => attempts.secure(begun), attempt.stop.signal),
      onProgress(percent, message) {
        attempt.progress = { percent, message };
        delivery.showProgress(percent);
      },
    });
    Object.assign(run, { refused, ...answers });
    try {
      const result = await handler(job, services);
      // It made do without a step that was only put off: that is no result.
      if (refused()) throw toError(attempt.stop.closed);
      return { verdict: succeeded(kind, result), children };
    } finally {
      await settled();
    }
  }

  async #judge(begun: Begun, kind: RegisteredKind | undefined, thrown: unknown): Promise<Verdict> {
    if (thrown instanceof Interrupted || thrown instanceof LeaseLost) return { outcome: 'interrupted' };
    const failure = toFailure(thrown);
    if (failure.code === 'cancelled') return { outcome: 'cancelled' };
    const retry = kind?.retry ?? { attempts: 3, backoff: 'exponential' as const, delayMs: 5_000 };
    const lastTry = begun.failures + 1 >= retry.attempts;
    const { db, shutMs } = this.#options;
    const outage = await outageOf(failure, { db, jobId: begun.jobId, lastTry, shutMs });
    return verdictOf(thrown, {
      retry,
      failures: begun.failures,
      givenBack: begun.attemptNo - 1 - begun.failures,
      random: Math.random(),
      ...outage,
    });
  }

  async #finish(run: Run, ended: Ended): Promise<{ verdict: Verdict; finished: Finished }> {
    reach('attempt.finishing', run.begun.jobId, run.begun.kind);
    try {
      return { verdict: ended.verdict, finished: await this.#write(run, ended) };
    } catch (thrown) {
      if (this.#options.leaving.aborted) throw thrown;
      // The ledger refuses this outcome and would each time: without another one the job would run for ever.
      const failure = new Failure('bug', `the outcome cannot be stored: ${toError(thrown).message}`);
      const kind = this.#options.registry.find(run.begun.kind);
      const verdict = await this.#judge(run.begun, kind, failure);
      return { verdict, finished: await this.#write(run, { verdict, children: [] }) };
    }
  }

  #write({ begun }: Run, { verdict, children }: Ended): Promise<Finished> {
    const { attempts, leaving } = this.#options;
    const { jobId, attemptNo, waiterId } = begun;
    const request = { jobId, attemptNo, verdict, plain: waiterId === null };
    return persist(
      () =>
        children.length > 0
          ? attempts.finishWithChildren(begun, request, children)
          : attempts.finish(request),
      leaving,
    );
  }
}

function isGeneration(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31;
}

function succeeded(kind: RegisteredKind, result: unknown): Verdict {
  const parsed = kind.definition.result.safeParse(result);
  if (!parsed.success)
    throw new Failure('bug', `the result of ${kind.kind} does not fit its schema: ${parsed.error.message}`);
  const json = toStorableJson(parsed.data ?? null);
  if (Buffer.byteLength(json) > resultLimitBytes)
    throw new Failure('bug', `the result of ${kind.kind} is over 64 kB; store an artifact instead`);
  return { outcome: 'succeeded', result: json };
}

/** The work, or the stop's reason when it goes on for 5 s after it: a hung handler must not keep its slot. */
function abandonable<T>(work: Promise<T>, stop: Stop, onAbandoned: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    stop.onAbort(() => {
      if (ended) return; // a renewal that no longer finds the job, while its outcome is being written
      const limitMs = stop.reason instanceof Interrupted ? leaveLimitMs : ignoreLimitMs;
      timer = setTimeout(() => {
        onAbandoned();
        reject(toError(stop.reason));
      }, limitMs);
    });
    work.then(resolve, reject).finally(() => {
      ended = true;
      clearTimeout(timer);
    });
  });
}
