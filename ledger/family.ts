// Children of an attempt that ends: who waits for whom. Pure: rows in, rows out.
import type { CheckedJob } from '../queues/check.ts';
import type { Begun } from './begin.ts';
import { newJob, type NewJob } from './insert.ts';

export interface Child {
  job: CheckedJob;
  /** Runs when all the other children (and what they give birth to) have ended. */
  waits: boolean;
}

/**
 * The rows of the children. They have the priority and the request id of their parent (an urgent story is urgent to its last
 * picture, and one id finds all of it), and inherit its waiter; a child that waits becomes the waiter of its siblings instead,
 * and itself counts for the inherited one. With nothing to wait for it is an ordinary child.
 */
export function family(parent: Begun, children: readonly Child[]): NewJob[] {
  const rows = children.map((child) => {
    const job = newJob(child.job, { tenant: parent.tenant, source: 'child' });
    return {
      job: {
        ...job,
        priority: parent.priority,
        requestId: parent.requestId,
        parentId: parent.jobId,
        rootId: parent.rootId ?? parent.jobId,
        waiterId: parent.waiterId,
      },
      waits: child.waits,
    };
  });
  const waiters = rows.filter((row) => row.waits);
  const others = rows.filter((row) => !row.waits);
  const waiter = waiters[0];
  if (waiters.length > 1)
    throw new Error('family failed: two children wait for the rest; let one of them enqueue the other');
  if (waiter === undefined || others.length === 0) return rows.map((row) => row.job);
  const siblings = others.map((row) => ({ ...row.job, waiterId: waiter.job.id }));
  return [{ ...waiter.job, blocked: true, openChildren: siblings.length }, ...siblings];
}
