// Enqueue: a job is accepted when its row is committed. Many callers share one commit (adaptive group commit); the
// engine is never waited for. The same key and body give the same job, however often and from however many processes.
import { createBatcher, type Settled } from '../shared/batcher.ts';
import { Problem, toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { isLedgerDown, ledgerProblem, sqlState, type Db } from './db.ts';
import {
  firstDispatch,
  insertJobsSql,
  insertParameters,
  insertValues,
  type Dispatch,
  type InsertedRow,
  type NewJob,
} from './insert.ts';
import type { JobState } from './moves.ts';

/** How long a key is remembered. Published in the API's documentation. */
export const idempotencyHours = 24;

export interface IdempotencyKey {
  endpoint: string;
  value: string;
  /** SHA-256 of the canonical request body. */
  bodyHash: Buffer;
}

export interface EnqueueRequest {
  job: NewJob;
  key: IdempotencyKey | undefined;
}

export interface Enqueued {
  id: string;
  kind: string;
  queue: string;
  state: JobState;
  createdAt: Date;
  /** True when the key had been used before: this is the first job, not a new one. */
  repeated: boolean;
}

export type Enqueue = (request: EnqueueRequest) => Promise<Enqueued>;

export interface EnqueueOptions {
  db: Db;
  emit: Emit;
  /** Told what was committed, right after the commit; must not throw. */
  onCommitted: (rows: readonly Dispatch[]) => void;
  /** The answer is a 503 after this long, in ms; the job may still be committed, so the key must be sent again. */
  deadlineMs?: number;
}

const keyTypes = ['text', 'text', 'text', 'bytea', 'uuid'];
const keyArrays = keyTypes.map((type, index) => `$${insertParameters + index + 1}::${type}[]`).join(', ');

const insertPlain = { name: 'enqueue_plain', text: insertJobsSql() };

// Keys are inserted in order, so two batches that share keys cannot deadlock; a second caller waits for the first's commit.
const insertKeyed = {
  name: 'enqueue_keyed',
  text: `WITH keys AS (
      INSERT INTO idempotency AS i (tenant, endpoint, key, body_hash, job_id, expires_at)
      SELECT k.tenant, k.endpoint, k.key, k.body_hash, k.job_id, now() + interval '${idempotencyHours} hours'
      FROM unnest(${keyArrays}) AS k(tenant, endpoint, key, body_hash, job_id)
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

interface StoredRow {
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

export function createEnqueue(options: EnqueueOptions): Enqueue {
  const batcher = createBatcher<EnqueueRequest, Enqueued>({
    max: 500,
    run: (requests) => commit(options, requests),
  });
  const deadlineMs = options.deadlineMs ?? 3_000;
  return (request) =>
    withDeadline(batcher.add(request), deadlineMs).catch((thrown: unknown) => {
      throw ledgerProblem(thrown);
    });
}

type Results = Settled<Enqueued>[];

/** Commits a batch: callers with one key are merged, plain and keyed rows each take one statement. */
async function commit(options: EnqueueOptions, requests: readonly EnqueueRequest[]): Promise<Results> {
  const leaders = new Map<string, EnqueueRequest>();
  for (const request of requests) {
    const name = keyName(request);
    if (!leaders.has(name)) leaders.set(name, request);
  }
  const unique = [...leaders.values()];
  const plain = unique.filter((request) => request.key === undefined);
  const keyed = unique.filter((request) => request.key !== undefined);
  const outcomes = new Map<string, Settled<Answer>>();
  for (const group of [plain, keyed]) {
    if (group.length > 0) await commitGroup(options, group, outcomes);
  }
  return requests.map((request) => answer(request, outcomes.get(keyName(request))));
}

type Answer = Enqueued & { bodyHash: Buffer | undefined; leaderId: string };

function keyName(request: EnqueueRequest): string {
  return request.key === undefined
    ? request.job.id
    : JSON.stringify([request.job.tenant, request.key.endpoint, request.key.value]);
}

function answer(request: EnqueueRequest, outcome: Settled<Answer> | undefined): Settled<Enqueued> {
  if (outcome === undefined)
    return { error: new Error('enqueue failed: the batch lost a request; this is a bug') };
  if ('error' in outcome) return outcome;
  const { bodyHash, leaderId, ...enqueued } = outcome.value;
  if (request.key !== undefined && bodyHash !== undefined && !bodyHash.equals(request.key.bodyHash)) {
    return { error: keyReused(enqueued.id) };
  }
  return { value: { ...enqueued, repeated: enqueued.repeated || request.job.id !== leaderId } };
}

function keyReused(jobId: string): Problem {
  return new Problem(
    'idempotency_key_reused',
    'enqueue failed: this Idempotency-Key was used with another body; use a new key',
    {
      details: { job_id: jobId },
    },
  );
}

/** Writes rows of one kind of statement; a refusal by data is narrowed down to the guilty row by halving. */
async function commitGroup(
  options: EnqueueOptions,
  group: readonly EnqueueRequest[],
  outcomes: Map<string, Settled<Answer>>,
): Promise<void> {
  try {
    await writeGroup(options, group, outcomes);
  } catch (thrown) {
    const state = sqlState(thrown) ?? '';
    const byData = state.startsWith('22') || state.startsWith('23');
    if (!byData || group.length === 1) {
      for (const request of group) outcomes.set(keyName(request), { error: toError(thrown) });
      return;
    }
    const middle = Math.ceil(group.length / 2);
    await commitGroup(options, group.slice(0, middle), outcomes);
    await commitGroup(options, group.slice(middle), outcomes);
  }
}

async function writeGroup(
  options: EnqueueOptions,
  group: readonly EnqueueRequest[],
  outcomes: Map<string, Settled<Answer>>,
): Promise<void> {
  const rows = await insert(options.db, group).catch((thrown: unknown) => {
    // The connection broke, perhaps after the commit: the ids are ours, so sending the batch once more is safe.
    if (!isLedgerDown(thrown) || sqlState(thrown) === '57014') throw thrown;
    return insert(options.db, group);
  });
  const inserted = new Map(rows.map((row) => [row.id, row]));
  const losers = group.filter((request) => !inserted.has(request.job.id));
  const dispatches: Dispatch[] = [];
  for (const request of group) {
    const row = inserted.get(request.job.id);
    if (row === undefined) continue;
    const { id, kind, queue } = request.job;
    const value = {
      id,
      kind,
      queue,
      state: row.state,
      createdAt: row.created_at,
      repeated: false,
      bodyHash: request.key?.bodyHash,
      leaderId: id,
    };
    outcomes.set(keyName(request), { value });
    dispatches.push(firstDispatch(request.job, row.delay_ms));
  }
  if (dispatches.length > 0) announce(options, dispatches);
  if (losers.length > 0) await answerLosers(options.db, losers, outcomes);
}

function announce(options: EnqueueOptions, dispatches: readonly Dispatch[]): void {
  options.onCommitted(dispatches);
  const counts = new Map<string, { queue: string; count: number }>();
  for (const { kind, queue } of dispatches)
    counts.set(kind, { queue, count: (counts.get(kind)?.count ?? 0) + 1 });
  for (const [kind, { queue, count }] of counts)
    options.emit('job.enqueued', { queue, kind, source: 'api', count });
}

function insert(db: Db, group: readonly EnqueueRequest[]): Promise<InsertedRow[]> {
  const jobs = group.map((request) => request.job);
  if (group[0]?.key === undefined) return db.run<InsertedRow>(insertPlain, insertValues(jobs));
  const keys = [
    jobs.map((job) => job.tenant),
    group.map((request) => request.key?.endpoint),
    group.map((request) => request.key?.value),
    group.map((request) => request.key?.bodyHash),
    jobs.map((job) => job.id),
  ];
  return db.run<InsertedRow>(insertKeyed, [...insertValues(jobs), ...keys]);
}

/** Requests whose key was taken (or whose row exists after a resend): the stored job is the answer. */
async function answerLosers(
  db: Db,
  losers: readonly EnqueueRequest[],
  outcomes: Map<string, Settled<Answer>>,
): Promise<void> {
  const keyed = losers.filter((request) => request.key !== undefined);
  const rows = await db.run<StoredRow>(readStored, [
    keyed.map((request) => request.job.tenant),
    keyed.map((request) => request.key?.endpoint),
    keyed.map((request) => request.key?.value),
  ]);
  const stored = new Map(rows.map((row) => [JSON.stringify([row.tenant, row.endpoint, row.key]), row]));
  for (const request of losers) {
    const row = stored.get(keyName(request));
    const { id, kind, queue } = request.job;
    if (row !== undefined) {
      const value = {
        id: row.id,
        kind: row.kind,
        queue: row.queue,
        state: row.state,
        createdAt: row.created_at,
        repeated: row.id !== id,
        bodyHash: row.body_hash,
        leaderId: id,
      };
      outcomes.set(keyName(request), { value });
    } else if (request.key === undefined) {
      // Resent after a lost connection and found in place: the first sending had been committed.
      outcomes.set(keyName(request), {
        value: {
          id,
          kind,
          queue,
          state: 'waiting',
          createdAt: new Date(),
          repeated: false,
          bodyHash: undefined,
          leaderId: id,
        },
      });
    } else {
      outcomes.set(keyName(request), {
        error: new Problem(
          'ledger_unavailable',
          'enqueue failed: the key expired while it was read; send it again',
          { retryAfterSeconds: 1 },
        ),
      });
    }
  }
}

async function withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout exceeded when trying to connect')), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
