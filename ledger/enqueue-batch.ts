// One batch of enqueues: callers with the same key are merged, a refusal by data and a key that somebody else's transaction
// holds are narrowed down to the guilty row, a lost connection is answered by sending the same ids again, and a used key
// answers with its first job.
import type { Settled } from '../shared/batcher.ts';
import { Problem, toError } from '../shared/errors.ts';
import type { Db } from './db.ts';
import { isLedgerDown, lockNotFree, sqlState } from './ledger-errors.ts';
import {
  insertRequests,
  keyReused,
  readOwnJobs,
  readStoredJobs,
  type EnqueueRequest,
  type StoredRow,
} from './enqueue-rows.ts';
import { firstDispatch, type Dispatch, type InsertedRow } from './insert.ts';
import type { JobState } from './moves.ts';

export interface Enqueued {
  id: string;
  kind: string;
  queue: string;
  state: JobState;
  createdAt: Date;
  /** True when the key had been used before: this is the first job, not a new one. */
  repeated: boolean;
}

export interface BatchContext {
  db: Db;
  /** Told what was committed, right after the commit. */
  announce: (dispatches: readonly Dispatch[]) => void;
}

type Answer = Enqueued & { bodyHash: Buffer | undefined; leaderId: string };
type Outcomes = Map<string, Settled<Answer>>;

interface Batch extends BatchContext {
  outcomes: Outcomes;
  /** How long it waits for a key that another transaction has taken and not committed, in ms. */
  waitMs: number;
}

/** A few commits, not a transaction. */
const firstWaitMs = 50;
/** While the held keys are looked for, each look costs all others of the batch this. */
const nextWaitMs = 5;

/** Commits requests that all have a key, or all have none. One answer a request, in order. */
export async function commitBatch(
  context: BatchContext,
  requests: readonly EnqueueRequest[],
): Promise<Settled<Enqueued>[]> {
  const leaders = new Map<string, EnqueueRequest>();
  for (const request of requests) {
    const name = keyName(request);
    if (!leaders.has(name)) leaders.set(name, request);
  }
  const outcomes: Outcomes = new Map();
  await commitGroup({ ...context, outcomes, waitMs: firstWaitMs }, [...leaders.values()]);
  return requests.map((request) => answer(request, outcomes.get(keyName(request))));
}

/** Requests with the same name are one job. */
export function keyName(request: EnqueueRequest): string {
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

async function commitGroup(batch: Batch, group: readonly EnqueueRequest[]): Promise<void> {
  try {
    await writeGroup(batch, group);
  } catch (thrown) {
    const parts = partsAfter(thrown, group.length);
    if (parts === 1) {
      for (const request of group) batch.outcomes.set(keyName(request), { error: toError(thrown) });
      return;
    }
    const size = Math.ceil(group.length / parts);
    for (let from = 0; from < group.length; from += size)
      await commitGroup({ ...batch, waitMs: nextWaitMs }, group.slice(from, from + size));
  }
}

/** Into how many parts a group is cut that was refused: each held key costs a wait at every level, so then there are few levels. */
function partsAfter(thrown: unknown, size: number): number {
  const state = sqlState(thrown) ?? '';
  if (state === lockNotFree) return Math.min(size, 8);
  const byData = state.startsWith('22') || state.startsWith('23');
  return byData ? Math.min(size, 2) : 1;
}

async function writeGroup(
  { db, announce, outcomes, waitMs }: Batch,
  group: readonly EnqueueRequest[],
): Promise<void> {
  const rows = await insertRequests(db, group, waitMs).catch((thrown: unknown) => {
    // The connection broke, perhaps after the commit: the ids are ours, so sending the batch once more is safe.
    if (!isLedgerDown(thrown) || sqlState(thrown) === '57014') throw thrown;
    return insertRequests(db, group, waitMs);
  });
  const inserted = new Map(rows.map((row) => [row.id, row]));
  const losers: EnqueueRequest[] = [];
  const dispatches: Dispatch[] = [];
  for (const request of group) {
    const row = inserted.get(request.job.id);
    if (row === undefined) losers.push(request);
    else {
      outcomes.set(keyName(request), { value: created(request, row) });
      dispatches.push(firstDispatch(request.job, row.delay_ms));
    }
  }
  if (dispatches.length > 0) announce(dispatches);
  if (losers.length > 0) await answerLosers(db, losers, outcomes);
}

function created(request: EnqueueRequest, row: Pick<InsertedRow, 'state' | 'created_at'>): Answer {
  const { id, kind, queue } = request.job;
  const bodyHash = request.key?.bodyHash;
  return {
    id,
    kind,
    queue,
    state: row.state,
    createdAt: row.created_at,
    repeated: false,
    bodyHash,
    leaderId: id,
  };
}

/** Requests whose key was taken (or whose row exists after a resend): the stored job is the answer. */
async function answerLosers(db: Db, losers: readonly EnqueueRequest[], outcomes: Outcomes): Promise<void> {
  const keyed = losers.filter((request) => request.key !== undefined);
  const rows = keyed.length > 0 ? await readStoredJobs(db, keyed) : [];
  const stored = new Map(rows.map((row) => [JSON.stringify([row.tenant, row.endpoint, row.key]), row]));
  // Sent again after a lost connection and found in place: the first sending had been committed.
  const plain = losers.filter((request) => request.key === undefined);
  const own = new Map(
    (plain.length > 0 ? await readOwnJobs(db, plain) : []).map((row) => [row.id, row] as const),
  );
  for (const request of losers) {
    const name = keyName(request);
    const row = own.get(name);
    outcomes.set(
      name,
      row === undefined ? loserOutcome(request, stored.get(name)) : { value: created(request, row) },
    );
  }
}

function loserOutcome(request: EnqueueRequest, row: StoredRow | undefined): Settled<Answer> {
  if (row !== undefined) {
    const { id, kind, queue, state, created_at: createdAt, body_hash: bodyHash } = row;
    const repeated = id !== request.job.id;
    return { value: { id, kind, queue, state, createdAt, repeated, bodyHash, leaderId: request.job.id } };
  }
  const gone = 'enqueue failed: the job it was answered with is gone; send it again';
  return { error: new Problem('ledger_unavailable', gone, { retryAfterSeconds: 1 }) };
}
