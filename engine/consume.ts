// BullMQ's Worker behind one function. It delivers; whether a delivery runs, and how it ended, is the ledger's to say.
import { UnrecoverableError, WaitingError, type Job, type Worker } from 'bullmq';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { retention } from './broker.ts';
import type { Link } from './connect.ts';
import { Rest } from './rest.ts';
import type { Consumer, EngineData, OnDelivery } from './types.ts';

export interface ConsumeOptions {
  concurrency: number;
  emit: Emit;
  /** How long BullMQ waits for a job before it asks again, in ms; default 5 s. */
  waitMs?: number;
  /** Nothing is taken, and no worker of the engine exists, until `take`. */
  held?: boolean;
}

// The ledger's rescuer alone gives a dead worker's job back. BullMQ's stalled check only sweeps up behind it, so its
// counter must never decide: it would fail the innocent neighbours of a job that kills its process.
const locks = { lockDuration: 60_000, stalledInterval: 30_000, maxStalledCount: 1_000_000 };

const startAgainMs = 500;

/** Takes deliveries of one queue, at most `concurrency` at once, until closed. */
export function consume(
  link: Link,
  queue: string,
  options: ConsumeOptions,
  onDelivery: OnDelivery,
): Consumer {
  const consumer = new QueueConsumer(link, queue, options, onDelivery);
  if (options.held !== true) consumer.take();
  return consumer;
}

class QueueConsumer implements Consumer {
  readonly queue: string;
  readonly #build: () => Worker;
  readonly #concurrency: number;
  readonly #rest: Rest;
  #worker: Worker | undefined;
  /** Deliveries of workers that were dropped: they have their slots until they end. */
  #left = 0;
  /** Whether jobs are wanted; while it rests there is no worker all the same. */
  #wanted = false;
  #underWay = 0;
  #movedAt = performance.now();
  #closed = false;

  constructor(
    link: Link,
    queue: string,
    { concurrency, emit, waitMs = 5_000 }: ConsumeOptions,
    onDelivery: OnDelivery,
  ) {
    this.queue = queue;
    this.#concurrency = concurrency;
    this.#rest = new Rest({ link, queue, emit });
    const processor = async (job: Job<EngineData>, token?: string) => {
      if (this.#held && (await isPutBack(job, token))) throw new WaitingError();
      return this.#deliver(job, onDelivery);
    };
    this.#build = () => {
      const worker = link.worker(queue, processor, {
        concurrency: concurrency - this.#left,
        autorun: false,
        drainDelay: waitMs / 1_000,
        ...locks,
        ...retention,
      });
      quiet(worker, queue, emit);
      worker.waitUntilReady().then(
        () => this.#run(worker),
        (thrown: unknown) => this.#startAgain(worker, toError(thrown), emit),
      );
      worker.on('error', (thrown) => {
        if (worker === this.#worker && this.#rest.isDue(toError(thrown).message)) this.#layDown();
      });
      return worker;
    };
  }

  async pause(): Promise<void> {
    this.#wanted = false;
    await this.#worker?.pause(true);
  }

  hold(): void {
    this.#wanted = false;
    this.#drop(false);
  }

  take(): void {
    this.#wanted = true;
    if (this.#worker !== undefined || this.#closed || this.#rest.now) return;
    if (this.#left >= this.#concurrency) return; // with the first of them that ends
    this.#movedAt = performance.now();
    this.#worker = this.#build();
  }

  rebuild(): void {
    if (this.#worker === undefined) return;
    this.#drop(true);
    if (this.#wanted) this.take(); // not while it is pausing
  }

  get #held(): boolean {
    return !this.#wanted && this.#worker === undefined;
  }

  #run(worker: Worker): void {
    if (this.#worker === worker && !this.#closed) worker.run().catch(() => undefined); // told as an error event
  }

  /**
   * BullMQ remembers a start that failed for ever: such a worker stays deaf when its server has long been well, and were it run it
   * would ask again and again without ever giving the process back to its timers and sockets.
   */
  #startAgain(worker: Worker, { message }: Error, emit: Emit): void {
    if (this.#worker !== worker || this.#closed) return;
    emit('notice', { level: 'debug', message: `engine worker of ${this.queue} did not start: ${message}` });
    setTimeout(() => {
      if (this.#worker === worker && !this.#closed) this.rebuild();
    }, startAgainMs).unref();
  }

  get freeSlots(): number {
    return this.#worker === undefined ? 0 : Math.max(0, this.#concurrency - this.#underWay);
  }

  get quietMs(): number {
    return performance.now() - this.#movedAt;
  }

  async close(force: boolean): Promise<void> {
    this.#closed = true;
    this.#rest.end();
    await this.#worker?.close(force);
  }

  /** No worker until the engine answers again: made while PostgreSQL is away it would stay deaf for ever. */
  #layDown(): void {
    this.#drop(false);
    this.#rest.begin(() => {
      if (this.#wanted) this.take();
    });
  }

  /** Not waited for: it hangs while its server is away or a delivery does not end. */
  #drop(force: boolean): void {
    if (this.#worker === undefined) return;
    this.#worker.close(force).catch(() => undefined);
    this.#worker = undefined;
    this.#left = this.#underWay;
  }

  /** A delivery of a worker that was dropped has ended: its slot is the present one's. */
  #inherit(): void {
    this.#left -= 1;
    const worker = this.#worker;
    if (worker === undefined) return this.#wanted ? this.take() : undefined;
    worker.concurrency = this.#concurrency - this.#left;
    // A full one looks at the number only when a job of its own ends. To resume it wakes its loop, without a pause in between.
    if (!worker.isRunning() || worker.isPaused()) return;
    void worker.pause(true);
    void worker.resume();
  }

  async #deliver(job: Job<EngineData>, onDelivery: OnDelivery): Promise<{ outcome: string }> {
    this.#move(1);
    const worker = this.#worker;
    if (worker === undefined) this.#left += 1;
    try {
      const ending = await onDelivery({
        data: job.data,
        kind: job.name,
        queue: this.queue,
        showProgress: (percent) => void job.updateProgress(percent).catch(() => undefined),
      });
      if (ending.failed) throw new UnrecoverableError(ending.message);
      return { outcome: ending.outcome };
    } finally {
      this.#move(-1);
      if (worker !== this.#worker || worker === undefined) this.#inherit();
    }
  }

  #move(by: 1 | -1): void {
    this.#underWay += by;
    this.#movedAt = performance.now();
  }
}

/**
 * What the engine was handing over while the consumer became held goes to the front of the queue again, for another process.
 * Where the engine cannot take it back it runs here: that is sooner than when the engine's lock of it ends.
 */
function isPutBack(job: Job, token: string | undefined): Promise<boolean> {
  return job.moveToWait(token).then(
    () => true,
    () => false,
  );
}

/** A worker whose server is away can report hundreds of errors a second: one line per message and ten seconds. */
function quiet(worker: Worker, queue: string, emit: Emit): void {
  const told = new Map<string, number>();
  worker.on('error', (thrown) => {
    const { message } = toError(thrown);
    const now = performance.now();
    if (now - (told.get(message) ?? -10_000) < 10_000) return;
    if (told.size > 100) told.clear();
    told.set(message, now);
    emit('notice', { level: 'debug', message: `engine worker of ${queue}: ${message}` });
  });
}
