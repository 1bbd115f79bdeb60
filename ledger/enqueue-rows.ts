// The statements of an enqueue: job rows with or without their idempotency keys, and the job a used key stands for.
import { Problem } from '../shared/errors.ts';
import type { Db } from './db.ts';
import { insertJobsSql, insertParameters, insertValues, type InsertedRow, type NewJob } from './insert.ts';
import type { JobState } from './moves.ts';

/** How long a key is remembered. Published in the API's documentation. */
export const idempotencyHours = 24;

interface IdempotencyKey {
  endpoint: string;
  value: string;
  /** SHA-256 of the canonical request body. */
  bodyHash: Buffer;
}

export interface EnqueueRequest {
  job: NewJob;
  key: IdempotencyKey | undefined;
}

/** The first job of a key. */
export interface StoredRow {
  tenant: string;
  endpoint: string;
  key: string;
  body_hash: Buffer;
  id: string;
  state: JobState;
  created_at: Date;
  kind: string;
  queue: string;
}

const keyTypes = ['text', 'text', 'text', 'bytea', 'uuid'];
const keyArrays = keyTypes.map((type, index) => `$${insertParameters + index + 1}::${type}[]`).join(', ');

const insertPlain = { name: 'enqueue_plain', text: insertJobsSql() };

// Keys are inserted in order, so two batches that share keys cannot deadlock; a second caller waits for the first's commit. The
// limit on that wait is set by the statement itself, before the sort lets the first row through: it costs no round trip.
const waitParameter = insertParameters + keyTypes.length + 1;
const insertKeyed = {
  name: 'enqueue_keyed',
  text: `WITH hurried AS MATERIALIZED (SELECT set_config('lock_timeout', $${waitParameter}, true)),
    keys AS (
      INSERT INTO idempotency AS i (tenant, endpoint, key, body_hash, job_id, expires_at)
      SELECT k.tenant, k.endpoint, k.key, k.body_hash, k.job_id, now() + interval '${idempotencyHours} hours'
      FROM unnest(${keyArrays}) AS k(tenant, endpoint, key, body_hash, job_id), hurried
      ORDER BY k.tenant, k.endpoint, k.key
      ON CONFLICT (tenant, endpoint, key) DO UPDATE
        SET body_hash = excluded.body_hash, job_id = excluded.job_id, expires_at = excluded.expires_at, created_at = now()
        WHERE i.expires_at < clock_timestamp()
      RETURNING job_id)
    ${insertJobsSql('id IN (SELECT job_id FROM keys)')}`,
};

const readStored = {
  name: 'enqueue_stored',
  text: `SELECT i.tenant, i.endpoint, i.key, i.body_hash, j.id, j.state, j.created_at, j.kind, j.queue
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k(tenant, endpoint, key)
    JOIN idempotency i USING (tenant, endpoint, key) JOIN job j ON j.id = i.job_id`,
};

/**
 * Inserts requests that all have a key, or all have none. Returns the rows that are new. Rejects with `lockNotFree` when another
 * transaction holds one of the keys for longer than `waitMs`.
 */
export function insertRequests(
  db: Db,
  group: readonly EnqueueRequest[],
  waitMs: number,
): Promise<InsertedRow[]> {
  const jobs = group.map((request) => request.job);
  if (group[0]?.key === undefined) return db.run<InsertedRow>(insertPlain, insertValues(jobs));
  const keys = [
    jobs.map((job) => job.tenant),
    group.map((request) => request.key?.endpoint),
    group.map((request) => request.key?.value),
    group.map((request) => request.key?.bodyHash),
    jobs.map((job) => job.id),
  ];
  return db.run<InsertedRow>(insertKeyed, [...insertValues(jobs), ...keys, `${waitMs}ms`]);
}

export function readStoredJobs(db: Db, requests: readonly EnqueueRequest[]): Promise<StoredRow[]> {
  return db.run<StoredRow>(readStored, [
    requests.map((request) => request.job.tenant),
    requests.map((request) => request.key?.endpoint),
    requests.map((request) => request.key?.value),
  ]);
}

const readOwn = {
  name: 'enqueue_own',
  text: 'SELECT id, state, created_at FROM job WHERE id = ANY($1::uuid[])',
};

/** The jobs of requests that have been committed before, by their own ids. */
export function readOwnJobs(
  db: Db,
  requests: readonly EnqueueRequest[],
): Promise<Pick<InsertedRow, 'id' | 'state' | 'created_at'>[]> {
  return db.run(readOwn, [requests.map((request) => request.job.id)]);
}

/** The refusal of a key that came with another body before; the same for HTTP and for other code's transactions. */
export function keyReused(jobId: string): Problem {
  return new Problem(
    'idempotency_key_reused',
    'enqueue failed: this Idempotency-Key was used with another body; use a new key',
    { details: { job_id: jobId } },
  );
}
