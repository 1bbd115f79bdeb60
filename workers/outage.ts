// What the ledger knows of the outage behind a failure: until when the provider's gate is closed, and how often the job
// has already been left without an answer. Asked once a failure, and only where the answer decides.
// A breaker has to see several calls before it opens. A job that is alone in a quiet hour makes too few of them, so before a
// provider that is away ends it, its last failure closes the gate as a breaker would, and the job waits with all others.
import type { Failure } from '../shared/errors.ts';
import type { Db } from '../ledger/db.ts';
import { countUnanswered, gateMs, isProvenBack } from '../ledger/gates.ts';
import { outage, spread } from '../providers/guard-gate.ts';
import { shutGate } from './gates.ts';
import { freeUnanswered, type OutcomeContext } from './outcome.ts';

export type Outage = Pick<OutcomeContext, 'gateMs' | 'unanswered'>;

export interface OutageContext {
  db: Db;
  jobId: string;
  /** One more failure would be the end of the job. */
  lastTry: boolean;
  /** How long a gate is closed after a first outage, in ms; undefined: no job closes one. */
  shutMs: number | undefined;
}

/** Never rejects: what cannot be read is left out, and then the failure counts. */
export async function outageOf(failure: Failure, context: OutageContext): Promise<Outage> {
  const { code, gate, breakerOpen } = failure;
  if (gate === undefined || !outage.has(code)) return {};
  const { db, jobId } = context;
  try {
    const paid = code === 'unknown_outcome' ? { unanswered: await countUnanswered(db, jobId) } : {};
    // A failure behind the gate says itself how long; to ask for each of a thousand such jobs would be a storm of its own.
    if (breakerOpen || (paid.unanswered ?? 0) >= freeUnanswered) return paid;
    const closedMs = (await gateMs(db, gate)) ?? (await shutForLast(gate, context));
    return closedMs === undefined ? paid : { ...paid, gateMs: closedMs };
  } catch {
    return {};
  }
}

/**
 * Closes the gate when this failure would end the job; gives for how long the job stays away. Not when somebody has proven
 * since its last wait that the provider is back: then the job is the cause, and must not close the gate for all again.
 */
async function shutForLast(
  gate: string,
  { db, jobId, lastTry, shutMs }: OutageContext,
): Promise<number | undefined> {
  if (!lastTry || shutMs === undefined || (await isProvenBack(db, jobId, gate))) return undefined;
  await shutGate(db, gate, shutMs);
  const closedMs = await gateMs(db, gate);
  // As late as the last of those that wait: another job's call is the better probe, should this one be the cause.
  return closedMs === undefined ? undefined : spread(closedMs, 1);
}
