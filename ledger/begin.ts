// Beginning attempts: a delivery becomes an attempt only if the ledger says so. Many deliveries share one round trip.
import type { Settled } from '../shared/batcher.ts';
import type { Db } from './db.ts';
import { engineId } from '../engine/types.ts';
import { inLockOrder } from './lock-order.ts';
import { isFinal, sqlStates, startableStates, type JobState } from './moves.ts';

export interface BeginRequest {
  jobId: string;
  generation: number;
}

/** An attempt that is ours: its number and worker must be shown with every later write. */
export interface Begun {
  jobId: string;
  kind: string;
  queue: string;
  tenant: string;
  generation: number;
  attemptNo: number;
  workerId: string;
  /** Failures before this attempt. */
  failures: number;
  payload: unknown;
  payloadVersion: number;
  /** As it was asked for, whatever ageing made of it. */
  priority: number;
  requestId: string | null;
  rootId: string | null;
  waiterId: string | null;
  /** Milliseconds from due to now. */
  waitMs: number;
  /** Milliseconds since 1970. */
  createdMs: number;
}

/**
 * `gone`: acknowledge and forget. `early`: the engine's clock runs ahead; the row has been put back undispatched. `dead`: the
 * job died where no delivery could be told of it; this one is.
 */
export type Refusal = { refused: 'gone' | 'early' } | { refused: 'dead'; message: string };
export type BeginAnswer = { begun: Begun } | Refusal;

export interface BeginContext {
  db: Db;
  workerId: string;
  leaseMs: number;
}

// The commit of a begin is not waited for (docs/decisions/0006): lost in a crash of PostgreSQL it leaves the job waiting, and
// what its worker writes is refused. Before it pays for anything the attempt waits for it (`secure` in ledger/attempts.ts).
const beginRows = {
  name: 'attempt_begin',
  text: `WITH unhurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE job j SET state = 'running', attempt_no = j.attempt_no + 1, worker_id = $3, started_at = clock_timestamp(),
      lease_until = clock_timestamp() + $4 * interval '1 ms', dispatched_at = coalesce(j.dispatched_at, clock_timestamp()),
      claimed_until = NULL
    FROM unnest($1::uuid[], $2::int[]) AS d(id, generation), unhurried
    WHERE j.id = d.id AND j.generation = d.generation AND j.state IN (${sqlStates(startableStates)})
      AND j.run_at <= clock_timestamp() + interval '1 s' AND j.cancel_requested_at IS NULL
    RETURNING j.id, j.kind, j.queue, j.tenant, j.generation, j.attempt_no, j.failures, j.payload, j.payload_version, j.root_id,
      j.waiter_id, j.request_id, coalesce(j.aged_from, j.priority) AS priority,
      extract(epoch FROM j.created_at)::float8 * 1000 AS created_ms, extract(epoch FROM j.started_at - j.run_at)::float8 * 1000 AS wait_ms`,
};

const readRefused = {
  name: 'attempt_refused',
  text: `SELECT id, generation, state, concat_ws(': ', error_code, error_message) AS message FROM job WHERE id = ANY($1::uuid[])`,
};

// A new generation, because the engine keeps the finished id of the early delivery and would ignore it silently.
const putBack = {
  name: 'attempt_put_back',
  text: `UPDATE job j SET generation = j.generation + 1, dispatched_at = NULL, claimed_until = clock_timestamp()
    FROM unnest($1::uuid[], $2::int[]) AS d(id, generation)
    WHERE j.id = d.id AND j.generation = d.generation AND j.state IN (${sqlStates(startableStates)})`,
};

interface BegunRow {
  id: string;
  kind: string;
  queue: string;
  tenant: string;
  generation: number;
  attempt_no: number;
  failures: number;
  payload: unknown;
  payload_version: number;
  priority: number;
  request_id: string | null;
  root_id: string | null;
  waiter_id: string | null;
  created_ms: number;
  wait_ms: number;
}

/** Begins what may begin. Of two deliveries of one job in a batch, at most one gets it. */
export async function beginBatch(
  context: BeginContext,
  requests: readonly BeginRequest[],
): Promise<Settled<BeginAnswer>[]> {
  const first = new Map<string, BeginRequest>();
  for (const request of requests) {
    const known = first.get(request.jobId);
    if (known === undefined || known.generation < request.generation) first.set(request.jobId, request);
  }
  const unique = inLockOrder([...first.values()], ({ jobId }) => jobId);
  const ids = unique.map((request) => request.jobId);
  const generations = unique.map((request) => request.generation);
  const rows = await context.db.run<BegunRow>(beginRows, [
    ids,
    generations,
    context.workerId,
    context.leaseMs,
  ]);
  const begun = new Map(rows.map((row) => [row.id, toBegun(row, context.workerId)]));
  const refused = unique.filter((request) => !begun.has(request.jobId));
  const reasons = refused.length > 0 ? await reasonsOf(context.db, refused) : new Map<string, Refusal>();
  return requests.map((request) => {
    const own = first.get(request.jobId) === request ? begun.get(request.jobId) : undefined;
    if (own !== undefined) return { value: { begun: own } };
    return { value: reasons.get(engineId(request)) ?? { refused: 'gone' } };
  });
}

interface RefusedRow extends Record<string, unknown> {
  id: string;
  generation: number;
  state: JobState;
  message: string;
}

/** By engine id: of another generation, and of what runs or has ended, there is nothing to say. */
async function reasonsOf(db: Db, refused: readonly BeginRequest[]): Promise<Map<string, Refusal>> {
  const rows = await db.run<RefusedRow>(readRefused, [refused.map(({ jobId }) => jobId)]);
  const asked = new Set(refused.map(engineId));
  const current = rows.map((row) => ({ ...row, jobId: row.id })).filter((row) => asked.has(engineId(row)));
  const dead = current.filter(({ state }) => state === 'dead');
  const early = current.filter(({ state }) => state !== 'running' && state !== 'parked' && !isFinal(state));
  if (early.length > 0) {
    await db.run(putBack, [early.map(({ jobId }) => jobId), early.map(({ generation }) => generation)]);
  }
  return new Map<string, Refusal>([
    ...dead.map((row) => [engineId(row), { refused: 'dead', message: row.message }] as const),
    ...early.map((row) => [engineId(row), { refused: 'early' }] as const),
  ]);
}

function toBegun(row: BegunRow, workerId: string): Begun {
  return {
    jobId: row.id,
    kind: row.kind,
    queue: row.queue,
    tenant: row.tenant,
    generation: row.generation,
    attemptNo: row.attempt_no,
    workerId,
    failures: row.failures,
    payload: row.payload,
    payloadVersion: row.payload_version,
    priority: row.priority,
    requestId: row.request_id,
    rootId: row.root_id,
    waiterId: row.waiter_id,
    waitMs: Math.max(0, row.wait_ms),
    createdMs: row.created_ms,
  };
}
