// `storytime jobs wait`: follows a job until it, or its whole family, has ended. 0 all good, 3 some failed, 124 out of time.
import { JobDead, type JobStatus } from '../client/index.ts';
import { CliError } from './exit.ts';
import { interruptible, openClient, type AnyClient } from './jobs-connection.ts';
import { progressLine } from './jobs-print.ts';
import { inert, json, painter, type Paint, type Terminal } from './terminal.ts';

export interface WaitFlags {
  tree?: boolean;
  /** What is waited for: `final` is any end, and each is as good. */
  for?: 'succeeded' | 'final';
  /** Milliseconds. */
  timeout?: number;
  json?: boolean;
  color?: boolean;
}

export async function runWait(terminal: Terminal, id: string, flags: WaitFlags): Promise<void> {
  const client = await openClient(terminal);
  const paint = painter(terminal, flags.color === false);
  await interruptible(
    () => id,
    (signal) => follow({ terminal, client, paint, signal }, id, flags),
  );
}

interface Following {
  terminal: Terminal;
  client: AnyClient;
  paint: Paint;
  signal: AbortSignal;
}

/** Prints changes as talk and the end as the result. */
export async function follow(following: Following, id: string, flags: WaitFlags): Promise<void> {
  const { terminal, client, paint, signal } = following;
  let last: JobStatus | undefined;
  let said = '';
  const onProgress = (job: JobStatus): void => {
    last = job;
    const line = progressLine(job, paint);
    if (line !== said && flags.json !== true) terminal.err(line);
    said = line;
  };
  const wait = { tree: flags.tree ?? false, onProgress, signal };
  try {
    await client.wait(id, { ...wait, timeoutMs: flags.timeout ?? 600_000 });
  } catch (thrown) {
    if (!isWaitedFor(thrown, flags)) throw thrown;
  } finally {
    if (last?.final === true) terminal.out(flags.json === true ? json({ job: last }) : result(last));
  }
  if (flags.tree === true && last !== undefined) requireTree(last);
}

function isWaitedFor(thrown: unknown, flags: WaitFlags): boolean {
  return flags.for === 'final' && thrown instanceof JobDead;
}

function requireTree({ id, tree: { unsuccessful, total } }: JobStatus): void {
  if (unsuccessful === 0) return;
  const what = `${unsuccessful} of the ${total} jobs of the family of ${id} did not succeed`;
  throw new CliError('someJobsFailed', what);
}

function result(job: JobStatus): string {
  return job.state === 'succeeded' ? `${inert(JSON.stringify(job.result, null, 2))}\n` : '';
}
