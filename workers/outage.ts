// What the ledger knows of the outage behind a failure: until when the provider's gate is closed, and how often the job
// has already been left without an answer. Asked once a failure, and only where the answer decides.
import type { Failure } from '../shared/errors.ts';
import type { Db } from '../ledger/db.ts';
import { countUnanswered, gateMs } from '../ledger/gates.ts';
import { mayBePaid, mayBeShut, type OutcomeContext } from './outcome.ts';

export type Outage = Pick<OutcomeContext, 'gateMs' | 'unanswered'>;

/** Never rejects: what cannot be read is left out, and then the failure counts. */
export async function outageOf(db: Db, jobId: string, failure: Failure): Promise<Outage> {
  try {
    if (mayBePaid(failure)) return { unanswered: await countUnanswered(db, jobId) };
    // A failure behind the gate says itself how long; to ask for each of a thousand such jobs would be a storm of its own.
    if (failure.provider === undefined || failure.breakerOpen || !mayBeShut(failure)) return {};
    const closedMs = await gateMs(db, failure.provider);
    return closedMs === undefined ? {} : { gateMs: closedMs };
  } catch {
    return {};
  }
}
