// The depth of the queues, as the ledger knows it: over the index of open jobs, and of a deep backlog no more than its beginning.
// Counted to the end a million jobs take seconds on a busy day, and whoever asks gives up before; the oldest is exact all the same.
import type { Db } from './db.ts';
import { runInOrder } from './in-order.ts';
import { parkedForLane } from './lane.ts';
import { openStates, sqlStates, startableStates } from './moves.ts';

type OpenState = (typeof openStates)[number];
type Count = OpenState | 'deadLastDay';

/** Open jobs by state; jobs that died in the last 24 hours; seconds since the oldest job that could run became due. */
export type QueueStats = Record<Count, number> & {
  oldestWaitingSeconds: number;
  /** Counts that were cut off: there are so many or more. */
  atLeast: readonly Count[];
};

/** Jobs of one queue and state that are counted at most; of the dead the newest of all queues together. */
export const mostCounted = 50_000;

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
  atLeast: [],
};

/** The oldest jobs of queue `q` and state `s`, in the order of the index, which ends the look. */
const oldest = (columns: string): string =>
  `SELECT ${columns} FROM job j WHERE j.state = s.state AND j.state IN (${sqlStates(openStates)}) AND j.queue = q.queue
    ORDER BY j.run_at LIMIT $2`;

const countQueues = {
  name: 'queues_count',
  text: `SELECT q.queue, s.state, c.jobs, CASE WHEN s.state IN (${sqlStates(startableStates)})
      THEN greatest(0, extract(epoch FROM clock_timestamp() - c.first)) ELSE 0 END::float8 AS age
    FROM unnest($1::text[]) AS q(queue), unnest(ARRAY[${sqlStates(openStates)}]) AS s(state),
      LATERAL (SELECT count(*)::int AS jobs, min(run_at) AS first FROM (${oldest('run_at')}) AS o) AS c
    WHERE c.jobs > 0
    UNION ALL
    SELECT queue, 'dead', count(*)::int, 0 FROM (
      SELECT queue FROM job WHERE state = 'dead' AND finished_at > now() - interval '24 hours'
      ORDER BY finished_at DESC LIMIT $2) AS died
    GROUP BY queue`,
};

interface CountRow {
  queue: string;
  state: OpenState | 'dead';
  jobs: number;
  age: number;
}

/** Each of the queues -> its figures. */
export async function queueStats(
  db: Db,
  queues: readonly string[],
  most: number = mostCounted,
): Promise<Map<string, QueueStats>> {
  const rows = await runInOrder<CountRow>(db, countQueues, [queues, most]);
  const dead = rows.reduce((sum, { state, jobs }) => sum + (state === 'dead' ? jobs : 0), 0);
  return new Map(
    queues.map((queue) => {
      const own = rows.filter((row) => row.queue === queue);
      const counts = own.map(({ state, jobs }) => [state === 'dead' ? 'deadLastDay' : state, jobs] as const);
      const full = counts.filter(([name, jobs]) => name !== 'deadLastDay' && jobs >= most);
      const atLeast = [...full.map(([name]) => name), ...(dead >= most ? ['deadLastDay' as const] : [])];
      const age = Math.max(0, ...own.map((row) => row.age));
      const oldestWaitingSeconds = Math.round(age * 1_000) / 1_000;
      return [queue, { ...emptyStats, ...Object.fromEntries(counts), oldestWaitingSeconds, atLeast }];
    }),
  );
}

// A statement of its own: the index of open jobs does not hold the reason, so this one reads the rows, of parked jobs alone.
const countUnknown = {
  name: 'queues_unknown',
  text: `SELECT q.queue, c.jobs FROM unnest($1::text[]) AS q(queue), (SELECT 'parked'::job_state AS state) AS s,
      LATERAL (SELECT count(*) FILTER (WHERE o.parked_for IS DISTINCT FROM '${parkedForLane}')::int AS jobs
        FROM (${oldest('parked_for')}) AS o) AS c
    WHERE c.jobs > 0`,
};

/**
 * queue -> how many of its parked jobs no process knew; the others only wait for room in the quarantine lane. Where the parked
 * ones are too many to count: of those that are counted.
 */
export async function unknownJobs(
  db: Db,
  queues: readonly string[],
  most: number = mostCounted,
): Promise<Map<string, number>> {
  const rows = await runInOrder<{ queue: string; jobs: number }>(db, countUnknown, [queues, most]);
  return new Map(rows.map(({ queue, jobs }) => [queue, jobs]));
}
