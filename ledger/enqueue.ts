// Enqueue: a job is accepted when its row is committed. Many callers share one commit (adaptive group commit); the
// engine is never waited for. The same key and body give the same job, however often and from however many processes.
import { createBatcher, type Batcher } from '../shared/batcher.ts';
import type { Emit } from '../shared/events.ts';
import { reach } from '../shared/points.ts';
import type { Db } from './db.ts';
import { ledgerProblem } from './ledger-errors.ts';
import { commitBatch, type Enqueued } from './enqueue-batch.ts';
import { besideHeld } from './enqueue-held.ts';
import type { EnqueueRequest } from './enqueue-rows.ts';
import type { Dispatch } from './insert.ts';

export type Enqueue = (request: EnqueueRequest) => Promise<Enqueued>;

export interface EnqueueOptions {
  db: Db;
  emit: Emit;
  /** Told what was committed, right after the commit; must not throw. */
  onCommitted: (rows: readonly Dispatch[]) => void;
  /** The answer is a 503 after this long, in ms; the job may still be committed, so the key must be sent again. */
  deadlineMs?: number;
}

export function createEnqueue(options: EnqueueOptions): Enqueue {
  const context = {
    db: options.db,
    announce: (dispatches: readonly Dispatch[]) => announce(options, dispatches),
  };
  const batcher = (): Batcher<EnqueueRequest, Enqueued> =>
    createBatcher({ max: 500, run: (requests) => commitBatch(context, requests) });
  // Requests without a key wait for no lock, so they wait for no request that has one.
  const plain = batcher();
  const keyed = besideHeld(batcher(), batcher());
  const deadlineMs = options.deadlineMs ?? 3_000;
  return (request) =>
    withDeadline(request.key === undefined ? plain.add(request) : keyed(request), deadlineMs).catch(
      (thrown: unknown) => {
        throw ledgerProblem(thrown);
      },
    );
}

function announce(options: EnqueueOptions, dispatches: readonly Dispatch[]): void {
  for (const { id, kind } of dispatches) reach('enqueue.committed', id, kind);
  options.onCommitted(dispatches);
  const counts = new Map<string, { queue: string; count: number }>();
  for (const { kind, queue } of dispatches)
    counts.set(kind, { queue, count: (counts.get(kind)?.count ?? 0) + 1 });
  for (const [kind, { queue, count }] of counts)
    options.emit('job.enqueued', { queue, kind, source: 'api', count });
}

async function withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout exceeded when trying to connect')), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
