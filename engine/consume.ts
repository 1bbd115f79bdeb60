// BullMQ's Worker behind one function. It delivers; whether a delivery runs, and how it ended, is the ledger's to say.
import { UnrecoverableError, type Worker } from 'bullmq';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { retention } from './broker.ts';
import type { Link } from './connect.ts';
import type { Consumer, OnDelivery } from './types.ts';

export interface ConsumeOptions {
  concurrency: number;
  emit: Emit;
}

// The ledger's rescuer alone gives a dead worker's job back. BullMQ's stalled check only sweeps up behind it, so its
// counter must never decide: it would fail the innocent neighbours of a job that kills its process.
const locks = { lockDuration: 60_000, stalledInterval: 30_000, maxStalledCount: 1_000_000 };

/** Takes deliveries of one queue, at most `concurrency` at once, until closed. */
export function consume(
  link: Link,
  queue: string,
  options: ConsumeOptions,
  onDelivery: OnDelivery,
): Consumer {
  const worker = link.worker(
    queue,
    async (job) => {
      const ending = await onDelivery({
        data: job.data,
        kind: job.name,
        queue,
        showProgress: (percent) => void job.updateProgress(percent).catch(() => undefined),
      });
      if (ending.failed) throw new UnrecoverableError(ending.message);
      return { outcome: ending.outcome };
    },
    { concurrency: options.concurrency, ...locks, ...retention },
  );
  quiet(worker, queue, options.emit);
  return {
    pause: () => worker.pause(true),
    close: (force) => worker.close(force),
  };
}

/** A worker whose server is away can report hundreds of errors a second: one line per message and ten seconds. */
function quiet(worker: Worker, queue: string, emit: Emit): void {
  const told = new Map<string, number>();
  worker.on('error', (thrown) => {
    const { message } = toError(thrown);
    const now = Date.now();
    if (now - (told.get(message) ?? 0) < 10_000) return;
    if (told.size > 100) told.clear();
    told.set(message, now);
    emit('notice', { level: 'debug', message: `engine worker of ${queue}: ${message}` });
  });
}
