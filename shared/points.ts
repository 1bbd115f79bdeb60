// Named moments in the life of a job, published on `node:diagnostics_channel`: a test loads a listener that stops the process
// right there. Nothing of ours listens, so a moment costs one comparison, and no behaviour may ever depend on a listener.
import { channel } from 'node:diagnostics_channel';

const channels = {
  /** Rows of jobs are committed; the relay has not been told. */
  'enqueue.committed': channel('storytime:enqueue.committed'),
  /** The engine has taken the job; the ledger does not know it yet. */
  'dispatch.added': channel('storytime:dispatch.added'),
  /** The ledger has given the job to this process; its handler has not run. */
  'attempt.begun': channel('storytime:attempt.begun'),
  /** The provider has answered; the step is not stored. */
  'step.answered': channel('storytime:step.answered'),
  /** The handler is through; the outcome is not written. */
  'attempt.finishing': channel('storytime:attempt.finishing'),
};

export type Point = keyof typeof channels;

/** Publishes `{ jobId, kind, step? }` synchronously: a listener that kills the process kills it at this line. */
export function reach(point: Point, jobId: string, kind: string, step?: string): void {
  const moment = channels[point];
  if (moment.hasSubscribers) moment.publish({ jobId, kind, step });
}
