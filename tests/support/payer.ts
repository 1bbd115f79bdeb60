// A worker process for tests that kill: `node --import tsx payer.ts <options as JSON>`. Its jobs pay for two steps, each
// written as a line of the bill the moment it is accepted; in the first attempt the second one never gets its answer.
import { appendFile } from 'node:fs/promises';
import type { Call } from '../../shared/call.ts';
import type { Job } from '../../workers/define.ts';
import { openHouse } from './house.ts';

interface PayerOptions {
  databaseUrl: string;
  bill: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as PayerOptions;

async function pay(call: Call): Promise<{ paid: string }> {
  await appendFile(options.bill, `${call.step}\n`);
  call.charge({ provider: 'smtp', model: 'any', usage: [{ unit: 'message', quantity: 1 }] });
  return { paid: call.step };
}

/** A call that only its signal ends. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

async function play(job: Job): Promise<unknown> {
  const first = await job.step('first', pay);
  const second = await job.step('second', async (call) => {
    const answer = await pay(call);
    process.stdout.write(`attempt ${job.attempt} has asked\n`);
    if (job.attempt === 1) await aborted(call.signal);
    return answer;
  });
  return { first, second };
}

const house = await openHouse({
  databaseUrl: options.databaseUrl,
  timers: { STORYTIME_LEASE_MS: 1_500, STORYTIME_RENEW_MS: 300, STORYTIME_GRACE_MS: 1_000 },
  handlers: { play },
});
process.once('SIGTERM', () => void house.close().then(() => process.exit(0)));
process.stdout.write('ready\n');
