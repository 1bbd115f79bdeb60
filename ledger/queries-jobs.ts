// One job as the API, the CLI and the operations page show it. The tenant is part of the query, never checked afterwards.
import type { Db } from './db.ts';
import type { AttemptOutcome } from './generated/prisma/enums.ts';
import { finalStates, sqlStates, type JobState } from './moves.ts';

/** Identifies a job; `tenant` undefined means any, for operators only. */
export interface JobRef {
  id: string;
  tenant: string | undefined;
}

export interface AttemptView {
  attempt: number;
  generation: number;
  /** `running` while it has not ended. */
  outcome: AttemptOutcome | 'running';
  code: string | null;
  message: string | null;
  workerId: string | null;
  startedAt: Date;
  endedAt: Date | null;
}

export interface StepView {
  name: string;
  /** The attempt that ran it; later attempts remembered it. */
  attempt: number;
  durationMs: number;
  /** What it cost, estimated, in millionths of a dollar. */
  microUsd: number;
}

export interface JobView {
  id: string;
  kind: string;
  queue: string;
  tenant: string;
  state: JobState;
  priority: number;
  generation: number;
  attemptNo: number;
  failures: number;
  progress: number;
  progressMessage: string | null;
  createdAt: Date;
  runAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  cancelRequestedAt: Date | null;
  errorCode: string | null;
  errorMessage: string | null;
  result: unknown;
  parentId: string | null;
  rootId: string | null;
  requestId: string | null;
  summary: string;
  /** Direct children, oldest first, at most 500. */
  children: readonly { id: string; kind: string; state: JobState }[];
  /** Every job below the root of the family. `unsuccessful`: ended in another way than `succeeded`, the dead among them. */
  tree: { total: number; open: number; dead: number; unsuccessful: number };
  attempts?: readonly AttemptView[];
  steps?: readonly StepView[];
}

export interface Include {
  attempts: boolean;
  steps: boolean;
}

const unsuccessful = finalStates.filter((state) => state !== 'succeeded');
const childLimit = 500;
const attemptLimit = 20;

const readOne = {
  name: 'job_read',
  text: `SELECT j.id, j.kind, j.queue, j.tenant, j.state, coalesce(j.aged_from, j.priority) AS priority, j.generation, j.attempt_no AS "attemptNo", j.failures, j.progress,
      j.progress_message AS "progressMessage", j.created_at AS "createdAt", j.run_at AS "runAt", j.started_at AS "startedAt",
      j.finished_at AS "finishedAt", j.cancel_requested_at AS "cancelRequestedAt", j.error_code AS "errorCode",
      j.error_message AS "errorMessage", j.result, j.parent_id AS "parentId", j.root_id AS "rootId",
      j.request_id AS "requestId", j.summary, j.worker_id AS "workerId",
      coalesce((SELECT json_agg(json_build_object('id', c.id, 'kind', c.kind, 'state', c.state) ORDER BY c.id)
        FROM (SELECT id, kind, state FROM job WHERE parent_id = j.id ORDER BY id LIMIT ${childLimit}) c), '[]') AS children,
      (SELECT json_build_object('total', count(*), 'open', count(*) FILTER (WHERE t.state NOT IN (${sqlStates(finalStates)})),
        'dead', count(*) FILTER (WHERE t.state = 'dead'),
        'unsuccessful', count(*) FILTER (WHERE t.state IN (${sqlStates(unsuccessful)}))) FROM job t WHERE t.root_id = coalesce(j.root_id, j.id)) AS tree
    FROM job j WHERE j.id = $1 AND ($2::text IS NULL OR j.tenant = $2)`,
};
const readAttempts = {
  name: 'job_attempts',
  text: `SELECT attempt_no AS attempt, generation, outcome, code, message, worker_id AS "workerId", started_at AS "startedAt",
      ended_at AS "endedAt"
    FROM attempt WHERE job_id = $1 ORDER BY attempt_no DESC LIMIT ${attemptLimit}`,
};
const readSteps = {
  name: 'job_steps',
  text: `SELECT s.name, s.attempt_no AS attempt, s.duration_ms AS "durationMs",
      coalesce((SELECT sum(c.micro_usd) FROM charge c WHERE c.job_id = s.job_id AND c.step = s.name), 0)::float8 AS "microUsd"
    FROM step s WHERE s.job_id = $1 ORDER BY s.created_at, s.name`,
};

/** Reads a job with its family, and on request its last 20 attempts (newest last) and its steps. */
export async function readJob(db: Db, job: JobRef, include: Include): Promise<JobView | undefined> {
  const [row] = await db.run<JobView & { workerId: string | null }>(readOne, [job.id, job.tenant ?? null]);
  if (row === undefined) return undefined;
  const { workerId, ...view } = row;
  const [attempts, steps] = await Promise.all([
    include.attempts ? db.run<AttemptView>(readAttempts, [job.id]) : undefined,
    include.steps ? db.run<StepView>(readSteps, [job.id]) : undefined,
  ]);
  return {
    ...view,
    ...(attempts === undefined ? {} : { attempts: withRunning(view, workerId, attempts) }),
    ...(steps === undefined ? {} : { steps }),
  };
}

/** The running attempt has no row of its own: it lives in the job's. */
function withRunning(
  job: JobView,
  workerId: string | null,
  newestFirst: readonly AttemptView[],
): AttemptView[] {
  const ended = newestFirst.toReversed();
  if (job.state !== 'running' || job.startedAt === null || ended.at(-1)?.attempt === job.attemptNo)
    return ended;
  const { attemptNo: attempt, generation, startedAt } = job;
  const running = { attempt, generation, startedAt, workerId, code: null, message: null, endedAt: null };
  return [...ended, { ...running, outcome: 'running' as const }].slice(-attemptLimit);
}
