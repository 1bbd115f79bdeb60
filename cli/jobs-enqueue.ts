// `storytime jobs enqueue`: accepts a job and prints its id, or waits for its result. The same key makes no second job.
import { z } from 'zod';
import type { EnqueuedJob, EnqueueOptions } from '../client/index.ts';
import { CliError } from './exit.ts';
import { interruptible, openClient } from './jobs-connection.ts';
import { readPayload } from './jobs-data.ts';
import { follow, type WaitFlags } from './jobs-wait.ts';
import { json, painter, type Terminal } from './terminal.ts';

export interface EnqueueFlags extends WaitFlags {
  data: string;
  key?: string;
  /** Milliseconds. */
  delay?: number;
  at?: string;
  priority?: 'high' | 'normal' | 'low';
  wait?: boolean;
}

export async function runEnqueue(terminal: Terminal, kind: string, flags: EnqueueFlags): Promise<void> {
  const payload = await readPayload(terminal, flags.data);
  const options = optionsOf(flags);
  const client = await openClient(terminal);
  const paint = painter(terminal, flags.color === false);
  let id: string | undefined;
  await interruptible(
    () => id,
    async (signal) => {
      const job = await client.enqueue(kind, payload, { ...options, signal });
      ({ id } = job);
      const waits = flags.wait === true || flags.tree === true;
      tell(terminal, job, { ...flags, wait: waits });
      if (waits) await follow({ terminal, client, paint, signal }, job.id, flags);
    },
  );
}

function optionsOf({ key, delay, at, priority }: EnqueueFlags): EnqueueOptions {
  return {
    ...(key !== undefined && { key }),
    ...(delay !== undefined && { delayMs: delay }),
    ...(at !== undefined && { runAt: instant(at) }),
    ...(priority !== undefined && { priority }),
  };
}

/** The id is the result, unless the result of the job is waited for. */
function tell(terminal: Terminal, job: EnqueuedJob, flags: EnqueueFlags): void {
  if (flags.json === true) {
    if (flags.wait !== true) terminal.out(json({ job }));
    return;
  }
  (flags.wait === true ? terminal.err : terminal.out)(`${job.id}\n`);
  if (job.repeated) terminal.err('(already enqueued)\n');
}

const moment = z.iso.datetime({ offset: true });

/** As it stands: without a zone it would be another time on each machine, and JavaScript takes 30 February for 2 March. */
function instant(text: string): string {
  if (moment.safeParse(text).success) return text;
  const todo = 'write it as 2026-12-24T18:00:00Z or 2026-12-24T19:00:00+01:00';
  throw new CliError('wrongUse', `--at ${text} is not a time with its zone; ${todo}`);
}
