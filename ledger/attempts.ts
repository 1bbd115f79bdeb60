// The life of an attempt, as the host sees it: begin, finish, keep the lease. Begin and finish share round trips; an
// outcome with children takes a transaction of its own, so children are born exactly when their parent's attempt ends.
import { createBatcher, type Settled } from '../shared/batcher.ts';
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { beginBatch, type BeginAnswer, type BeginRequest, type Begun } from './begin.ts';
import type { Db } from './db.ts';
import { mayBeSentAgain } from './ledger-errors.ts';
import { family, type Child } from './family.ts';
import { finishBatch, type Finished, type FinishRequest } from './finish.ts';
import { firstDispatch, insertJobsSql, insertValues, type Dispatch, type InsertedRow } from './insert.ts';
import { nameOf, succeedBatch } from './succeed.ts';
import { recogniseWritten } from './written.ts';
import {
  renewLeases,
  secureLeases,
  writeProgress,
  type Lease,
  type ProgressNote,
  type Renewed,
} from './leases.ts';

export interface AttemptsOptions {
  db: Db;
  workerId: string;
  leaseMs: number;
  emit: Emit;
  onCommitted: (rows: readonly Dispatch[]) => void;
}

export interface Attempts {
  begin: (request: BeginRequest) => Promise<BeginAnswer>;
  /**
   * Resolves when the begin is on disk: it outlives a crash of PostgreSQL from here on. False when the attempt is no longer the
   * current one. Asked before the first call that is paid for.
   */
  secure: (lease: Lease) => Promise<boolean>;
  /** Writes the outcome. Children are given with a success only. */
  finish: (request: FinishRequest) => Promise<Finished>;
  finishWithChildren: (begun: Begun, request: FinishRequest, children: readonly Child[]) => Promise<Finished>;
  /** Renews leases; returns those that are no longer ours and those whose cancel was asked for. */
  renew: (leases: readonly Lease[]) => Promise<Renewed>;
  progress: (notes: readonly ProgressNote[]) => Promise<void>;
}

const insertChildren = { name: 'children_insert', text: insertJobsSql() };
// Before the waiter, as whoever ends a job or cancels it locks them: the job, then the one that waits for it.
const lockOwn = {
  name: 'attempt_lock',
  text: `SELECT 1 FROM job WHERE id = $1 AND attempt_no = $2 AND worker_id = $3 AND state = 'running' FOR NO KEY UPDATE`,
};
const countUp = {
  name: 'children_count_up',
  text: `UPDATE job SET open_children = open_children + $2 WHERE id = $1 AND state = 'blocked'`,
};

export function createAttempts(options: AttemptsOptions): Attempts {
  const { db } = options;
  const begin = createBatcher<BeginRequest, BeginAnswer>({
    max: 500,
    run: (requests) => beginBatch(options, requests),
  });
  const finish = createBatcher<FinishRequest, Finished>({
    max: 500,
    run: (requests) => finishAll(options, requests),
  });

  const secure = createBatcher<Lease, boolean>({
    max: 500,
    run: (leases) => secureBatch(options, leases),
  });

  function announce(finished: Finished): Finished {
    if (finished.dispatches.length > 0) options.onCommitted(finished.dispatches);
    return finished;
  }

  return {
    begin: begin.add,
    secure: secure.add,
    finish: async (request) => announce(await finish.add(request)),
    finishWithChildren: async (begun, request, children) =>
      announce(await commitFamily(options, begun, request, children)),
    renew: (leases) => renewLeases(db, options, leases),
    progress: (notes) => writeProgress(db, options, notes),
  };
}

/** A renewal waits for its commit, and with it for every commit before. */
async function secureBatch(options: AttemptsOptions, leases: readonly Lease[]): Promise<Settled<boolean>[]> {
  const { lost } = await secureLeases(options.db, options, leases);
  return leases.map(({ jobId }) => ({ value: !lost.includes(jobId) }));
}

/** Plain successes first; whatever they do not cover goes through the general statement. */
async function finishAll(
  options: AttemptsOptions,
  requests: readonly FinishRequest[],
): Promise<Settled<Finished>[]> {
  const plain = requests.filter(
    (request) => request.verdict.outcome === 'succeeded' && request.plain === true,
  );
  const done = plain.length === 0 ? new Set<string>() : await succeedPlain(options, plain);
  const rest = requests.filter((request) => !done.has(nameOf(request)));
  // A failure of the rest is theirs alone: sent again, the successes above would be taken for refused.
  const others = await finishApart(options, rest)
    .then((settled) => recogniseWritten(options.db.run, options.workerId, rest, settled))
    .catch((thrown: unknown) => rest.map((): Settled<Finished> => ({ error: toError(thrown) })));
  const settled = new Map(rest.map((request, index) => [request, others[index]]));
  return requests.map((request) => settled.get(request) ?? { value: { state: 'succeeded', dispatches: [] } });
}

/** A row that PostgreSQL refuses takes its batch with it here; the general statement then finds it. */
async function succeedPlain(
  { db, workerId }: AttemptsOptions,
  requests: readonly FinishRequest[],
): Promise<Set<string>> {
  const successes = requests.flatMap(({ jobId, attemptNo, verdict }) =>
    verdict.outcome === 'succeeded' ? [{ jobId, attemptNo, result: verdict.result }] : [],
  );
  try {
    return await succeedBatch(db.run, workerId, successes);
  } catch (thrown) {
    if (mayBeSentAgain(thrown)) throw thrown;
    return new Set();
  }
}

/** One outcome that PostgreSQL refuses must not take its neighbours' with it: then each is written by itself. */
async function finishApart(
  { db, workerId }: AttemptsOptions,
  requests: readonly FinishRequest[],
): Promise<Settled<Finished>[]> {
  if (requests.length === 0) return [];
  try {
    return await finishBatch(db.run, workerId, requests);
  } catch (thrown) {
    if (requests.length === 1 || mayBeSentAgain(thrown)) throw thrown;
  }
  const settled: Settled<Finished>[] = [];
  for (const request of requests) {
    const alone = finishBatch(db.run, workerId, [request]);
    settled.push(...(await alone.catch((thrown: unknown) => [{ error: toError(thrown) }])));
  }
  return settled;
}

class Fenced extends Error {}

async function commitFamily(
  options: AttemptsOptions,
  begun: Begun,
  request: FinishRequest,
  children: readonly Child[],
): Promise<Finished> {
  const jobs = family(begun, children);
  try {
    const born = await options.db.transaction(async (run) => {
      const own = await run(lockOwn, [begun.jobId, begun.attemptNo, options.workerId]);
      if (own.length === 0) throw new Fenced();
      const inherited = jobs.filter((job) => job.waiterId !== null && job.waiterId === begun.waiterId).length;
      if (inherited > 0) await run(countUp, [begun.waiterId, inherited]);
      const inserted = await run<InsertedRow>(insertChildren, insertValues(jobs));
      const [settled] = await finishBatch(run, options.workerId, [request]);
      const finished = settled !== undefined && 'value' in settled ? settled.value : undefined;
      // Another attempt has taken over, or a cancel came: this attempt's children must not be born.
      if (finished?.state !== 'succeeded') throw new Fenced();
      const delays = new Map(inserted.map((row) => [row.id, row]));
      const due = jobs.filter((job) => delays.get(job.id)?.state !== 'blocked');
      return {
        ...finished,
        dispatches: [
          ...finished.dispatches,
          ...due.map((job) => firstDispatch(job, delays.get(job.id)?.delay_ms ?? 0)),
        ],
      };
    });
    for (const { queue, kind } of jobs)
      options.emit('job.enqueued', { queue, kind, source: 'child', count: 1 });
    return born;
  } catch (thrown) {
    if (!(thrown instanceof Fenced)) throw thrown;
    const refused = await finishBatch(options.db.run, options.workerId, [request]);
    const [settled] = await recogniseWritten(options.db.run, options.workerId, [request], refused);
    return settled !== undefined && 'value' in settled ? settled.value : { state: undefined, dispatches: [] };
  }
}
