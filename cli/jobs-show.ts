// `storytime jobs show`: what became of a job.
import { openClient } from './jobs-connection.ts';
import { jobText } from './jobs-print.ts';
import { json, painter, type Terminal } from './terminal.ts';

export interface ShowFlags {
  attempts?: boolean;
  steps?: boolean;
  json?: boolean;
  color?: boolean;
}

export async function runShow(terminal: Terminal, id: string, flags: ShowFlags): Promise<void> {
  const client = await openClient(terminal);
  const include = (['attempts', 'steps'] as const).filter((part) => flags[part] === true);
  const job = await client.get(id, { include });
  terminal.out(flags.json === true ? json({ job }) : jobText(job, painter(terminal, flags.color === false)));
}
