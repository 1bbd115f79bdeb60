// A worker process for tests that kill: `node --import tsx crowd.ts <options as JSON>`. One parent with many children
// that end at the same moment, and a waiter that writes down each time it runs.
import { openHouse } from './house.ts';
import type { Job } from '../../workers/define.ts';

interface CrowdOptions {
  databaseUrl: string;
  redisUrl?: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as CrowdOptions;

async function play(job: Job<{ children?: number; sleepMs?: number }>): Promise<unknown> {
  const { children = 0, sleepMs = 0 } = job.payload;
  // Real work takes a moment: the kills of the test must find children half done.
  await new Promise((resolve) => setTimeout(resolve, sleepMs));
  for (let child = 0; child < children; child += 1) job.enqueue('play' as never, { sleepMs: 30 } as never);
  if (children > 0) job.enqueue('rest' as never, {} as never, { after: 'siblings' });
  return {};
}

await openHouse({
  ...options,
  timers: { STORYTIME_LEASE_MS: 1_500, STORYTIME_RENEW_MS: 300 },
  handlers: { play, rest: async () => Promise.resolve({}) },
});
process.stdout.write('ready\n');
