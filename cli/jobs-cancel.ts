// `storytime jobs cancel`: ends a job and all that is open below it. May be said twice.
import { openClient } from './jobs-connection.ts';
import { json, type Terminal } from './terminal.ts';

export async function runCancel(terminal: Terminal, id: string, flags: { json?: boolean }): Promise<void> {
  const client = await openClient(terminal);
  const job = await client.cancel(id);
  terminal.out(flags.json === true ? json({ job }) : `${job.id} ${job.state}\n`);
  if (job.state === 'running' && flags.json !== true)
    terminal.err(`it runs and was asked to stop: storytime jobs wait ${job.id}\n`);
}
