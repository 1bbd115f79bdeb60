// Inserting jobs in bulk: the one statement behind HTTP enqueues, children and other code's transactions.
import { newId } from '../shared/ids.ts';
import type { CheckedJob } from '../queues/check.ts';
import type { JobState } from './moves.ts';

/** A job row to be: its id is made before the batch, so that sending the batch again cannot double it. */
export interface NewJob {
  id: string;
  tenant: string;
  queue: string;
  kind: string;
  source: 'api' | 'child' | 'transaction';
  priority: number;
  payloadVersion: number;
  delayMs: number;
  runAt: Date | null;
  giveUpAfterMs: number;
  blocked: boolean;
  openChildren: number;
  parentId: string | null;
  rootId: string | null;
  waiterId: string | null;
  apiKeyId: string | null;
  requestId: string | null;
  summary: string;
  payload: string;
}

/** What the relay needs to carry a job to the engine. */
export interface Dispatch {
  id: string;
  generation: number;
  kind: string;
  /** The engine's queue: the job's own, or the quarantine lane. */
  queue: string;
  priority: number;
  /** Milliseconds until it is due, as the database counts them. */
  delayMs: number;
  tenant: string;
  summary: string;
  /** The attempt that this dispatch will be, from 1. */
  attempt: number;
}

export interface InsertedRow {
  id: string;
  state: JobState;
  created_at: Date;
  delay_ms: number;
}

/** Column, SQL type, value: the arrays of `unnest` and their order come from this one table. */
const columns: readonly (readonly [name: string, type: string, value: (job: NewJob) => unknown])[] = [
  ['id', 'uuid', (job) => job.id],
  ['tenant', 'text', (job) => job.tenant],
  ['queue', 'text', (job) => job.queue],
  ['kind', 'text', (job) => job.kind],
  ['source', 'text', (job) => job.source],
  ['priority', 'smallint', (job) => job.priority],
  ['payload_version', 'smallint', (job) => job.payloadVersion],
  ['delay_ms', 'float8', (job) => job.delayMs],
  ['run_at', 'timestamptz', (job) => job.runAt],
  ['give_up_ms', 'float8', (job) => job.giveUpAfterMs],
  ['blocked', 'boolean', (job) => job.blocked],
  ['open_children', 'int', (job) => job.openChildren],
  ['parent_id', 'uuid', (job) => job.parentId],
  ['root_id', 'uuid', (job) => job.rootId],
  ['waiter_id', 'uuid', (job) => job.waiterId],
  ['api_key_id', 'uuid', (job) => job.apiKeyId],
  ['request_id', 'text', (job) => job.requestId],
  ['summary', 'text', (job) => job.summary],
  ['payload', 'jsonb', (job) => job.payload],
];

export const insertParameters = columns.length;

/** How long the committing process has to carry a job to the engine itself before the sweep may claim it. */
export const claim = `clock_timestamp() + interval '2 s'`;

const unnested = `unnest(${columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')})
  AS t(${columns.map(([name]) => name).join(', ')})`;

/** `where` narrows the rows of `t`, e.g. to those whose idempotency key was won. */
export function insertJobsSql(where = 'true'): string {
  return `INSERT INTO job (id, tenant, queue, kind, source, priority, payload_version, open_children, parent_id, root_id, waiter_id,
      api_key_id, request_id, summary, payload, state, created_at, run_at, give_up_at, claimed_until)
    SELECT id, tenant, queue, kind, source, priority, payload_version, open_children, parent_id, root_id, waiter_id,
      api_key_id, request_id, summary, payload,
      CASE WHEN blocked THEN 'blocked' WHEN due > now() THEN 'scheduled' ELSE 'waiting' END::job_state,
      now(), due, due + give_up_ms * interval '1 ms', ${claim}
    FROM (SELECT t.*, coalesce(t.run_at, now() + t.delay_ms * interval '1 ms') AS due FROM ${unnested}) AS u
    WHERE ${where}
    ON CONFLICT (id) DO NOTHING
    RETURNING id, state, created_at, greatest(0, extract(epoch FROM run_at - clock_timestamp()) * 1000)::float8 AS delay_ms`;
}

export function insertValues(jobs: readonly NewJob[]): unknown[][] {
  return columns.map(([, , value]) => jobs.map(value));
}

export interface Origin {
  tenant: string;
  source: NewJob['source'];
  apiKeyId?: string;
  requestId?: string;
}

/** A row from a checked request. Children and waiters change the family fields afterwards. */
export function newJob(checked: CheckedJob, origin: Origin): NewJob {
  return {
    id: newId(),
    tenant: origin.tenant,
    queue: checked.kind.queue,
    kind: checked.kind.kind,
    source: origin.source,
    priority: checked.priority,
    payloadVersion: checked.kind.version,
    delayMs: checked.delayMs ?? 0,
    runAt: checked.runAt ?? null,
    giveUpAfterMs: checked.kind.giveUpAfterMs,
    blocked: false,
    openChildren: 0,
    parentId: null,
    rootId: null,
    waiterId: null,
    apiKeyId: origin.apiKeyId ?? null,
    requestId: origin.requestId ?? null,
    summary: checked.kind.summary(checked.payload),
    payload: JSON.stringify(checked.payload), // checkJob has shown that it can be stored
  };
}

/** The dispatch of a row just inserted. */
export function firstDispatch(job: NewJob, delayMs: number): Dispatch {
  const { id, kind, queue, priority, tenant, summary } = job;
  return { id, generation: 1, kind, queue, priority, delayMs, tenant, summary, attempt: 1 };
}
