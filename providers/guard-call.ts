// The call itself, once it may be made: alone as a probe, behind the breaker, or as a question that proves nothing; and what its end
// means for the others.
import { Failure } from '../shared/errors.ts';
import { attemptOnce, type AttemptContext, type AttemptOptions, type Work } from './attempt.ts';
import { behindBreaker, postponed, toFailure } from './failure.ts';
import type { Breaker } from './guard-breaker.ts';
import { closingOf, outage, spread, tellsOf, type Gate, type Probe } from './guard-gate.ts';
import type { Limit } from './guard-limit.ts';
import type { Attempts } from './guard-tries.ts';

export interface Parts {
  gate: Gate;
  limit: Limit;
  breaker: Breaker;
  /** How long a question that cannot be asked is put off, in ms. */
  resetMs: number;
  now: () => number;
  tries: Attempts;
  /** When the call was sent that failed last; the breaker opens at its end. */
  judged: { sentAt: number };
}

export interface Asked<T> {
  context: AttemptContext;
  options: AttemptOptions;
  work: Work<T>;
}

/** How long a job without a place stays away, in ms, before it is spread. */
export const noPlaceMs = 2_000;

/** Too many at once: the vendor's own number, or half of what there is. The job comes back when there may be a place. */
function makeRoom({ gate, limit, now }: Parts, failure: Failure): Failure {
  if (failure.maxCalls !== undefined) gate.limit(failure.maxCalls);
  else if (failure.status !== 429) return failure;
  const forMs = failure.maxCalls === undefined ? limit.refused(now()) : noPlaceMs;
  return postponed(failure, spread(forMs, Math.random()));
}

/** A call and how long ago it was sent. */
interface Ended {
  probing: boolean;
  ageMs?: number;
}

/** Tells gate and limit what a failed call means for the others, and gives the failure that its job sees. */
function judge(parts: Parts, failure: Failure, { probing, ageMs = 0 }: Ended): Failure {
  const { code, retryAfterMs } = failure;
  const reason = closingOf(failure, probing);
  if (reason === undefined) return code === 'rate_limited' ? makeRoom(parts, failure) : failure;
  const forMs = parts.gate.close({ reason, forMs: retryAfterMs, probed: probing, ageMs });
  if (!parts.gate.shared || reason === 'rate_limited') return failure; // a rate limit is waited for as asked
  return behindBreaker(failure, spread(forMs, Math.random()));
}

/** One try, alone: whether the provider is back. */
export async function look<T>(parts: Parts, probe: Probe, asked: Asked<T>): Promise<T> {
  const { context, options, work } = asked;
  const sentAt = parts.now();
  try {
    const value = await attemptOnce(context, options, work);
    await told(parts, probe, asked);
    return value;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const tells = tellsOf(error);
    const isOutage = options.proves === false && outage.has(error.code);
    if (tells === 'back') await told(parts, probe, asked);
    if (tells === 'nothing' || isOutage) await probe.abandoned();
    throw isOutage
      ? putOff(parts, error)
      : judge(parts, error, { probing: true, ageMs: parts.now() - sentAt });
  }
}

/** The provider is well; a question that proves nothing leaves the probe's place to the call that it was asked for. */
function told({ breaker }: Parts, probe: Probe, { options }: Asked<unknown>): Promise<void> {
  if (options.proves === false) return probe.abandoned();
  breaker.renew();
  return probe.succeeded();
}

/** A question that proves nothing: for an outage it neither opens nor closes the gate, and its job waits. */
export async function wonder<T>(parts: Parts, { context, options, work }: Asked<T>): Promise<T> {
  try {
    return await parts.tries(context, options, work);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw outage.has(error.code) ? putOff(parts, error) : judge(parts, error, { probing: false });
  }
}

function putOff({ resetMs }: Parts, failure: Failure): Failure {
  return behindBreaker(failure, spread(resetMs, Math.random()));
}

export async function fire<T>(parts: Parts, { context, options, work }: Asked<T>): Promise<T> {
  const { breaker, gate } = parts;
  try {
    const sentAt = parts.now();
    return await breaker.fire(() =>
      parts.tries(context, options, work).catch((thrown: unknown) => {
        parts.judged.sentAt = sentAt;
        throw thrown;
      }),
    );
  } catch (error) {
    const waitMs = Math.max(gate.shared ? gate.closedForMs() : breaker.closedForMs(), 250);
    if (!(error instanceof Failure)) {
      const why = breaker.shutDown ? 'this process is stopping' : 'the breaker is open';
      throw behindBreaker(toFailure(context, { code: 'unavailable', why }), waitMs);
    }
    // The call that opened the breaker is as free as those after it.
    const free = isAway(parts) && outage.has(error.code);
    throw free
      ? behindBreaker(error, spread(waitMs, Math.random()))
      : judge(parts, error, { probing: false });
  }
}

export function isAway({ breaker, gate }: Pick<Parts, 'breaker' | 'gate'>): boolean {
  return breaker.open || gate.closedForMs() > 0;
}
