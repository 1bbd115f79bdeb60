// What all processes saw of the providers, minute by minute: calls, errors, and how long they took. Each process adds its
// own counts, so that any other can show the whole. Kept for two days.
import { spentToday } from './budgets.ts';
import type { Db } from './db.ts';

/** Upper ends of the duration steps, in ms; what takes longer is in one more. */
export const durationSteps = [
  50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 25_000, 50_000, 100_000,
] as const;

/** One process's counts for one provider in one minute. */
export interface MinuteCounts {
  provider: string;
  /** Milliseconds since 1970, a whole minute. */
  minuteMs: number;
  calls: number;
  errors: number;
  /** One number a duration step, and one for what is longer. */
  buckets: readonly number[];
}

/** The last 15 minutes and today (UTC) of one provider. */
export interface ProviderFigures {
  calls: number;
  errors: number;
  /** Nineteen of twenty calls took at most so many ms, estimated from the steps; null without calls. */
  p95Ms: number | null;
  /** Estimated, in millionths of a dollar. */
  spentTodayMicroUsd: number;
}

export const figureSeconds = 900;

const addRows = {
  name: 'provider_minutes_add',
  text: `INSERT INTO provider_minute AS m (provider, minute, calls, errors, buckets)
    SELECT provider, to_timestamp(minute_ms / 1000), calls, errors, buckets::int[]
    FROM unnest($1::text[], $2::float8[], $3::int[], $4::int[], $5::text[]) AS t(provider, minute_ms, calls, errors, buckets)
    ORDER BY 1, 2
    ON CONFLICT (provider, minute) DO UPDATE SET calls = m.calls + excluded.calls, errors = m.errors + excluded.errors,
      buckets = (SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY step)
        FROM unnest(m.buckets, excluded.buckets) WITH ORDINALITY AS u(a, b, step))`,
};

const readRows = {
  name: 'provider_minutes_read',
  text: `SELECT provider, sum(calls)::int AS calls, sum(errors)::int AS errors,
      array(SELECT sum(n)::int FROM provider_minute o, unnest(o.buckets) WITH ORDINALITY AS u(n, step)
        WHERE o.provider = m.provider AND o.minute > now() - interval '${figureSeconds} s' GROUP BY step ORDER BY step) AS buckets
    FROM provider_minute m WHERE minute > now() - interval '${figureSeconds} s' GROUP BY provider`,
};

/** Adds the counts of one process, in one statement. */
export async function addMinutes(db: Db, counts: readonly MinuteCounts[]): Promise<void> {
  const column = <K extends keyof MinuteCounts>(key: K): MinuteCounts[K][] => counts.map((row) => row[key]);
  const buckets = column('buckets').map((numbers) => `{${numbers.join(',')}}`);
  await db.run(addRows, [column('provider'), column('minuteMs'), column('calls'), column('errors'), buckets]);
}

interface FigureRow {
  provider: string;
  calls: number;
  errors: number;
  buckets: number[];
}

/** provider -> figures; one that was never called is not in the map. */
export async function providerFigures(db: Db): Promise<Map<string, ProviderFigures>> {
  const [rows, spent] = await Promise.all([db.run<FigureRow>(readRows, []), spentToday(db)]);
  const figures = new Map<string, ProviderFigures>();
  for (const { provider, calls, errors, buckets } of rows)
    figures.set(provider, { calls, errors, p95Ms: p95Of(buckets), spentTodayMicroUsd: 0 });
  for (const { provider, microUsd } of spent)
    figures.set(provider, {
      ...(figures.get(provider) ?? { calls: 0, errors: 0, p95Ms: null }),
      spentTodayMicroUsd: microUsd,
    });
  return figures;
}

/** The step that holds a duration: its index among the buckets. */
export function stepOf(durationMs: number): number {
  const index = durationSteps.findIndex((end) => durationMs <= end);
  return index === -1 ? durationSteps.length : index;
}

/** Where in its step the 95th of a hundred calls would be; the longest step has no end and counts as its beginning. */
export function p95Of(buckets: readonly number[]): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  let left = total * 0.95;
  for (const [index, count] of buckets.entries()) {
    const from = durationSteps[index - 1] ?? 0;
    const to = durationSteps[index] ?? from;
    if (count > 0 && left <= count) return Math.round(from + ((to - from) * left) / count);
    left -= count;
  }
  return null;
}
