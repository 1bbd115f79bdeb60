// Waiting for a job by asking for it: less often the longer it takes, 100 ms at first, a second at most.
import { JobDead, JobTimeout, ProblemError } from './errors.ts';
import { limitOf, mayPass, sleep } from './request.ts';
import type { JobStatus, WaitOptions } from './types.ts';

type Look = (signal: AbortSignal) => Promise<JobStatus>;

/** One look has a second at least, however little is left. */
const leastMs = 1_000;

/**
 * The result of a job once it (and with `tree` its family) has ended. Throws JobDead or JobTimeout. Once the API has answered it
 * may be away for a while.
 */
export async function ended(look: Look, jobId: string, options: WaitOptions): Promise<unknown> {
  const timeoutMs = options.timeoutMs ?? 600_000;
  const until = performance.now() + timeoutMs;
  let seen = '';
  for (let pauseMs = 100; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const leftMs = until - performance.now();
    const job = await glance(look, { leftMs, patient: seen !== '', signal: options.signal });
    if (job !== undefined) {
      const now = JSON.stringify(job);
      if (now !== seen) options.onProgress?.(job);
      seen = now;
      if (isOver(job, options.tree ?? false)) return job.result;
    }
    const restMs = until - performance.now();
    if (restMs <= 0) throw new JobTimeout(jobId, timeoutMs);
    await sleep(Math.min(pauseMs, restMs), options.signal);
  }
}

interface Glance {
  leftMs: number;
  patient: boolean;
  signal: AbortSignal | undefined;
}

/** Undefined when there was no answer in time, or none that counts for one who is patient. */
async function glance(look: Look, { leftMs, patient, signal }: Glance): Promise<JobStatus | undefined> {
  const limit = limitOf(Math.ceil(Math.max(leastMs, leftMs)), signal);
  try {
    return await look(limit.signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    if (limit.passed()) return undefined;
    if (patient && thrown instanceof ProblemError && mayPass(thrown.status)) return undefined;
    throw thrown;
  } finally {
    limit.clear();
  }
}

function isOver(job: JobStatus, tree: boolean): boolean {
  if (!job.final) return false;
  if (job.state !== 'succeeded') throw new JobDead(job);
  return !tree || job.tree.open === 0;
}
