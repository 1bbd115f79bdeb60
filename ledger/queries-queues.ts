// The depth of the queues, as the ledger knows it: one statement over the index of open jobs.
import type { Db } from './db.ts';
import { parkedForLane } from './lane.ts';
import { openStates, sqlStates, startableStates, type JobState } from './moves.ts';

type OpenState = (typeof openStates)[number];

/** Open jobs by state; jobs that died in the last 24 hours; seconds since the oldest job that could run became due. */
export type QueueStats = Record<OpenState, number> & { deadLastDay: number; oldestWaitingSeconds: number };

export const emptyStats: Readonly<QueueStats> = {
  blocked: 0,
  scheduled: 0,
  waiting: 0,
  retrying: 0,
  snoozed: 0,
  running: 0,
  parked: 0,
  deadLastDay: 0,
  oldestWaitingSeconds: 0,
};

const countQueues = {
  name: 'queues_count',
  text: `SELECT queue, state, count(*)::int AS jobs,
      coalesce(extract(epoch FROM clock_timestamp() - min(run_at) FILTER (
        WHERE state IN (${sqlStates(startableStates)}) AND run_at <= clock_timestamp())), 0)::float8 AS age
    FROM job WHERE state IN (${sqlStates(openStates)}) GROUP BY queue, state
    UNION ALL
    SELECT queue, 'dead', count(*)::int, 0 FROM job
    WHERE state = 'dead' AND finished_at > now() - interval '24 hours' GROUP BY queue`,
};

interface CountRow {
  queue: string;
  state: JobState;
  jobs: number;
  age: number;
}

/** queue -> figures; a queue without jobs is not in the map. */
export async function queueStats(db: Db): Promise<Map<string, QueueStats>> {
  const rows = await db.run<CountRow>(countQueues, []);
  const stats = new Map<string, QueueStats>();
  for (const row of rows) {
    const known = stats.get(row.queue) ?? { ...emptyStats };
    if (row.state === 'dead') known.deadLastDay = row.jobs;
    else if (row.state in known) known[row.state as OpenState] = row.jobs;
    known.oldestWaitingSeconds = Math.max(known.oldestWaitingSeconds, Math.round(row.age * 1_000) / 1_000);
    stats.set(row.queue, known);
  }
  return stats;
}

// A statement of its own: the index of open jobs does not hold the reason, so this one reads the rows, of parked jobs alone.
const countUnknown = {
  name: 'queues_unknown',
  text: `SELECT queue, count(*)::int AS jobs FROM job
    WHERE state = 'parked' AND parked_for IS DISTINCT FROM '${parkedForLane}' GROUP BY queue`,
};

/** queue -> how many of its parked jobs no process knew; the others only wait for room in the quarantine lane. */
export async function unknownJobs(db: Db): Promise<Map<string, number>> {
  const rows = await db.run<{ queue: string; jobs: number }>(countUnknown, []);
  return new Map(rows.map(({ queue, jobs }) => [queue, jobs]));
}
