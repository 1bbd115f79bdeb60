// What each report's table holds: its columns, and its rows one at a time from pages of the ledger.
// Only the sums of `usage` are kept in memory, one line per day and kind; `costs` keeps nothing.
import type { ChargeLine, JobLine } from '../../ledger/report-pages.ts';

export type Cell = string | number;
export type Row = readonly Cell[];

export const usageColumns = [
  'day',
  'kind',
  'jobs',
  'succeeded',
  'dead',
  'cancelled',
  'expired',
  'attempts',
  'snoozes',
] as const;

export const costColumns = ['day', 'job', 'kind', 'step', 'provider', 'model', 'units', 'usd'] as const;

interface Sum {
  day: string;
  kind: string;
  jobs: number;
  states: Map<string, number>;
  attempts: number;
  snoozes: number;
}

/** One row per day and kind, in that order. Open jobs count under `jobs` only. */
export async function* usageRows(pages: AsyncIterable<readonly JobLine[]>): AsyncGenerator<Row> {
  const sums = new Map<string, Sum>();
  for await (const page of pages) for (const line of page) add(sums, line);
  for (const key of [...sums.keys()].toSorted()) {
    const sum = sums.get(key);
    if (sum === undefined) continue;
    const { day, kind, jobs, states, attempts, snoozes } = sum;
    const ended = ['succeeded', 'dead', 'cancelled', 'expired'].map((state) => states.get(state) ?? 0);
    yield [day, kind, jobs, ...ended, attempts, snoozes];
  }
}

function add(sums: Map<string, Sum>, { day, kind, state, attempts, snoozes }: JobLine): void {
  const key = `${day} ${kind}`;
  const sum = sums.get(key) ?? { day, kind, jobs: 0, states: new Map(), attempts: 0, snoozes: 0 };
  sum.jobs += 1;
  sum.states.set(state, (sum.states.get(state) ?? 0) + 1);
  sum.attempts += attempts;
  sum.snoozes += snoozes;
  sums.set(key, sum);
}

/** One row per accepted provider call; `units` reads `input_token=812 output_token=1430`. */
export async function* costRows(pages: AsyncIterable<readonly ChargeLine[]>): AsyncGenerator<Row> {
  for await (const page of pages) {
    for (const { day, jobId, kind, step, provider, model, usage, microUsd } of page) {
      const units = usage.map(({ unit, quantity }) => `${unit}=${quantity}`).join(' ');
      yield [day, jobId, kind, step, provider, model, units, (microUsd / 1_000_000).toFixed(6)];
    }
  }
}
