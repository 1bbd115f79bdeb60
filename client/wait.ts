// Waiting for a job by asking for it: less often the longer it takes, 100 ms at first, a second at most.
import { JobDead, JobTimeout } from './errors.ts';
import { sleep } from './request.ts';
import type { JobStatus, WaitOptions } from './types.ts';

/** The result of a job once it (and with `tree` its family) has ended. Throws JobDead or JobTimeout. */
export async function ended(
  look: () => Promise<JobStatus>,
  jobId: string,
  options: WaitOptions,
): Promise<unknown> {
  const timeoutMs = options.timeoutMs ?? 600_000;
  const until = performance.now() + timeoutMs;
  let seen = '';
  for (let pauseMs = 100; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const job = await look();
    const now = JSON.stringify(job);
    if (now !== seen) options.onProgress?.(job);
    seen = now;
    if (isOver(job, options.tree ?? false)) return job.result;
    const leftMs = until - performance.now();
    if (leftMs <= 0) throw new JobTimeout(jobId, timeoutMs);
    await sleep(Math.min(pauseMs, leftMs), options.signal);
  }
}

function isOver(job: JobStatus, tree: boolean): boolean {
  if (!job.final) return false;
  if (job.state !== 'succeeded') throw new JobDead(job);
  return !tree || job.tree.open === 0;
}
