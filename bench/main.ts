// `npm run bench`: our side and what a user would pick instead, alternating, in one run. Read the ratios: absolute rates
// are those of the machine and the minute. `--jobs 2000 --rounds 1` for a quick look.
import { parseArgs } from 'node:util';
import { median } from './measure.ts';
import { runRound, serveRound } from './rounds.ts';
import type { SideContext, SideResult } from './sides/types.ts';
import { startStores } from './stores.ts';

interface Comparison {
  title: string;
  ours: string;
  theirs: string;
  round: (name: string, context: SideContext) => Promise<SideResult>;
  /** The ratio below which a change must not land. */
  floor: number | undefined;
}

const comparisons: readonly Comparison[] = [
  {
    title: 'HTTP enqueue (our API / Express awaiting queue.add)',
    ours: 'api',
    theirs: 'express',
    round: serveRound,
    floor: 0.9,
  },
  {
    title: 'no-op jobs on Redis (our host / raw BullMQ Worker)',
    ours: 'host-redis',
    theirs: 'raw-redis',
    round: runRound,
    floor: 0.5,
  },
  {
    title: 'no-op jobs on PostgreSQL (our host / raw BullMQ Worker)',
    ours: 'host-postgres',
    theirs: 'raw-postgres',
    round: runRound,
    floor: undefined,
  },
];

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const stores = await startStores();
const context: SideContext = {
  ...stores,
  jobs: Number(values.jobs),
  warmUp: Math.min(2_000, Number(values.jobs)),
  inFlight: 50,
};

function summary(results: readonly SideResult[]): SideResult {
  return {
    rate: median(results.map((result) => result.rate)),
    cpuS: median(results.map((result) => result.cpuS)),
  };
}

function line(name: string, { rate, cpuS }: SideResult): string {
  return `  ${name.padEnd(16)} ${Math.round(rate).toString().padStart(8)} /s   ${cpuS.toFixed(3)} CPU s per 1,000`;
}

async function compare({ title, ours, theirs, round, floor }: Comparison): Promise<boolean> {
  const results = { ours: [] as SideResult[], theirs: [] as SideResult[] };
  for (let count = 0; count < rounds; count += 1) {
    results.theirs.push(await round(theirs, context));
    results.ours.push(await round(ours, context));
  }
  const [our, their] = [summary(results.ours), summary(results.theirs)];
  const ratio = our.rate / their.rate;
  const verdict = floor === undefined ? '' : ` (floor ${floor}: ${ratio >= floor ? 'held' : 'BROKEN'})`;
  console.log(
    `${title}\n${line(theirs, their)}\n${line(ours, our)}\n  ratio ${ratio.toFixed(2)}${verdict}\n`,
  );
  return floor === undefined || ratio >= floor;
}

async function run(): Promise<boolean> {
  console.log(
    `${context.jobs} jobs a side, ${rounds} alternating rounds, medians, ${context.inFlight} in flight\n`,
  );
  let held = true;
  for (const comparison of comparisons) {
    if (values.only !== undefined && !comparison.ours.startsWith(values.only)) continue;
    held = (await compare(comparison)) && held;
  }
  if (values.only === undefined)
    console.log(`for scale\n${line('graphile-worker', await runRound('graphile', context))}`);
  return held;
}

try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await stores.stop();
}
