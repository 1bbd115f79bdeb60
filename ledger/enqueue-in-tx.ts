// The transactional door: other code enqueues inside its own database transaction, and the job exists exactly when that
// transaction commits. Knows neither our Prisma client nor BullMQ; every name is qualified, so any search_path will do.
// Whether the commit is waited for is the caller's choice (its `synchronous_commit`): the job is as safe as its transaction.
import { Problem } from '../shared/errors.ts';
import { canonicalJson, sha256 } from '../shared/text.ts';
import { checkJob, type CheckedJob, type Priority } from '../queues/check.ts';
import { registry, type Payloads } from '../queues/index.ts';
import { idempotencyHours, keyReused } from './enqueue-rows.ts';
import { newJob, type NewJob } from './insert.ts';

/** A transaction: Prisma's interactive one, or anything with the same tagged template. */
export interface Transaction {
  $queryRaw: (sql: TemplateStringsArray, ...values: unknown[]) => PromiseLike<unknown>;
}

export interface JobRequest<Kind extends keyof Payloads> {
  kind: Kind;
  payload: Payloads[Kind];
  /** `delayMs` in ms, `runAt` as ISO 8601 with a zone; not both. */
  options?: { priority?: Priority; delayMs?: number; runAt?: string };
}

export interface TransactionContext {
  tx: Transaction;
  tenant: string;
  /** The same key and request give the same job, in here and over HTTP, for 24 hours. */
  key?: string;
}

export interface EnqueuedInTransaction {
  id: string;
  kind: string;
  queue: string;
  state: string;
  createdAt: Date;
  repeated: boolean;
}

interface Row {
  id: string;
  kind: string;
  queue: string;
  state: string;
  created_ms: number;
  body_hash?: string;
}

/** Over HTTP the same key is the same key: one name for both. */
const endpoint = 'POST /v1/jobs';

/** Enqueues one job as part of `tx`. Throws a Problem, with every error of the payload, before anything is written. */
export async function enqueue<Kind extends keyof Payloads>(
  request: JobRequest<Kind>,
  context: TransactionContext,
): Promise<EnqueuedInTransaction> {
  // As JSON carries it, so that the check and the body's hash see what HTTP would have sent.
  const body: unknown = JSON.parse(JSON.stringify(request));
  if (context.key !== undefined) checkKey(context.key);
  const checked: CheckedJob = checkJob(registry, body, await timeFor(body, context));
  const job = newJob(checked, { tenant: context.tenant, source: 'transaction' });
  if (context.key !== undefined) {
    const hash = sha256(canonicalJson(body)).toString('hex');
    const stored = await claimKey(context.tx, job, context.key, hash);
    if (stored !== undefined) return answer(stored, true);
  }
  return answer(await insert(context.tx, job), false);
}

/**
 * A point of time is judged by the database's clock; the one of this process may be wrong. With a key that was accepted before it
 * is judged by the time of then, as over HTTP: what was right once does not become wrong with its repetition.
 */
async function timeFor(body: unknown, { tx, tenant, key }: TransactionContext): Promise<number> {
  const given = body as { options?: { runAt?: unknown } | null } | null;
  if (given?.options?.runAt === undefined) return Date.now();
  const rows = await tx.$queryRaw`
    SELECT (extract(epoch FROM coalesce((SELECT created_at FROM storytime.idempotency
      WHERE tenant = ${tenant} AND endpoint = ${endpoint} AND key = ${key ?? null} AND expires_at > clock_timestamp()),
      clock_timestamp())) * 1000)::float8 AS now_ms`;
  return (rows as { now_ms: number }[])[0]?.now_ms ?? Date.now();
}

function checkKey(key: string): void {
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return;
  throw new Problem(
    'idempotency_key_invalid',
    'enqueue failed: the key must be 1 to 255 printable ASCII characters',
  );
}

function answer(row: Row, repeated: boolean): EnqueuedInTransaction {
  const { id, kind, queue, state } = row;
  return { id, kind, queue, state, createdAt: new Date(row.created_ms), repeated };
}

/** Takes the key for this job, or returns the job that has it. A second caller waits for the first one's commit. */
async function claimKey(tx: Transaction, job: NewJob, key: string, hash: string): Promise<Row | undefined> {
  const won = await tx.$queryRaw`
    INSERT INTO storytime.idempotency AS i (tenant, endpoint, key, body_hash, job_id, expires_at)
    VALUES (${job.tenant}, ${endpoint}, ${key}, decode(${hash}, 'hex'), ${job.id}::uuid,
      now() + ${idempotencyHours}::int * interval '1 hour')
    ON CONFLICT (tenant, endpoint, key) DO UPDATE
      SET body_hash = excluded.body_hash, job_id = excluded.job_id, expires_at = excluded.expires_at, created_at = now()
      WHERE i.expires_at < clock_timestamp()
    RETURNING job_id::text AS id`;
  if ((won as unknown[]).length > 0) return undefined;
  const [stored] = (await tx.$queryRaw`
    SELECT j.id::text AS id, j.kind, j.queue, j.state::text AS state, encode(i.body_hash, 'hex') AS body_hash,
      (extract(epoch FROM j.created_at) * 1000)::float8 AS created_ms
    FROM storytime.idempotency i JOIN storytime.job j ON j.id = i.job_id
    WHERE i.tenant = ${job.tenant} AND i.endpoint = ${endpoint} AND i.key = ${key}`) as Row[];
  if (stored === undefined)
    throw new Problem(
      'ledger_unavailable',
      'enqueue failed: the key expired while it was read; run the transaction again',
    );
  if (stored.body_hash !== hash) throw keyReused(stored.id);
  return stored;
}

// The notice is delivered at commit, and only then: a work process sweeps at once instead of waiting for its turn.
async function insert(tx: Transaction, job: NewJob): Promise<Row> {
  const [row] = (await tx.$queryRaw`
    WITH due AS (
      SELECT coalesce(${job.runAt?.toISOString() ?? null}::timestamptz, now() + ${job.delayMs}::float8 * interval '1 ms') AS at),
    born AS (
      INSERT INTO storytime.job (id, tenant, queue, kind, source, priority, payload_version, summary, payload, state, created_at, run_at,
        give_up_at, claimed_until)
      SELECT ${job.id}::uuid, ${job.tenant}, ${job.queue}, ${job.kind}, ${job.source}, ${job.priority}::smallint,
        ${job.payloadVersion}::smallint, ${job.summary}, ${job.payload}::jsonb, (CASE WHEN due.at > now() THEN 'scheduled' ELSE 'waiting' END)::storytime.job_state, now(), due.at,
        due.at + ${job.giveUpAfterMs}::float8 * interval '1 ms', clock_timestamp()
      FROM due RETURNING id, kind, queue, state, created_at)
    SELECT id::text AS id, kind, queue, state::text AS state, (extract(epoch FROM created_at) * 1000)::float8 AS created_ms,
      pg_notify('storytime_enqueued', '')::text AS notice
    FROM born`) as Row[];
  if (row === undefined) throw new Error('enqueue failed: the row did not come back; this is a bug');
  return row;
}
