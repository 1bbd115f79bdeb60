// A worker process for tests that kill: `node --import tsx filer.ts <options as JSON>`. Its jobs keep a file of three parts; the
// first attempt stops for ever when two of them are stored.
import { partBytes } from '../../ledger/artifact-parts.ts';
import type { Job } from '../../workers/define.ts';
import { openHouse } from './house.ts';

const { databaseUrl } = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string };

/** A chunk is asked for when the part before it is stored. */
async function* chunks(attempt: number): AsyncGenerator<Uint8Array> {
  for (const n of [1, 2, 3]) {
    if (attempt === 1 && n === 3) await stuck();
    yield Buffer.alloc(partBytes + 1, `${attempt}${n}`);
  }
}

function stuck(): Promise<never> {
  process.stdout.write('the file is half written\n');
  return new Promise(() => undefined);
}

async function play(job: Job): Promise<unknown> {
  return job.step('file', async (_call, keep) => ({ file: await keep(chunks(job.attempt)) }));
}

await openHouse({
  databaseUrl,
  timers: { STORYTIME_LEASE_MS: 1_500, STORYTIME_RENEW_MS: 300 },
  handlers: { play },
});
process.stdout.write('ready\n');
