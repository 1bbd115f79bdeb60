// Tells how an attempt ended: the one wide log line and the metrics come from these events; the engine gets its ending.
import type { AttemptEnded, Emit } from '../shared/events.ts';
import type { Ending } from '../engine/types.ts';
import type { Begun, Refusal } from '../ledger/begin.ts';
import type { Finished, Verdict } from '../ledger/finish.ts';
import { isFinal } from '../ledger/moves.ts';

export interface Reported {
  begun: Begun;
  /** performance.now() at the begin. */
  startedAt: number;
}

interface Reporter {
  emit: Emit;
  workerId: string;
}

/** Emits what was written and answers how the engine's job ends: failed is exactly dead. */
export function report(
  reporter: Reporter,
  { begun, startedAt }: Reported,
  verdict: Verdict,
  { state }: Finished,
): Ending {
  const { jobId, queue, kind } = begun;
  reporter.emit('attempt.ended', attemptEnded(reporter, { begun, startedAt }, verdict, state));
  if (state !== undefined && isFinal(state)) {
    reporter.emit('job.finished', { jobId, queue, kind, state, endToEndMs: Date.now() - begun.createdMs });
  }
  if (state === 'dead' && verdict.outcome === 'failed')
    return { failed: true, message: `${verdict.code}: ${verdict.message}` };
  return { failed: false, outcome: state ?? 'refused' };
}

/** A job that its process took with it ends here, on the Failed list: no delivery of it could say that it is dead. */
export function refusal(answer: Refusal): Ending {
  if (answer.refused === 'dead') return { failed: true, message: answer.message };
  return { failed: false, outcome: answer.refused };
}

function attemptEnded(
  { workerId }: Reporter,
  { begun, startedAt }: Reported,
  verdict: Verdict,
  state: Finished['state'],
): AttemptEnded {
  const { jobId, queue, kind } = begun;
  const event: AttemptEnded = {
    jobId,
    queue,
    kind,
    tenant: begun.tenant,
    attempt: begun.attemptNo,
    generation: begun.generation,
    outcome: state === 'cancelled' ? 'cancelled' : verdict.outcome,
    state: state ?? 'refused',
    durationMs: Math.round(performance.now() - startedAt),
    workerId,
    recorded: state !== undefined,
  };
  if (begun.requestId !== null) event.requestId = begun.requestId;
  if (begun.attemptNo === 1) event.waitMs = Math.round(begun.waitMs);
  if (verdict.outcome === 'failed' || verdict.outcome === 'snoozed') addFailure(event, verdict);
  return event;
}

function addFailure(event: AttemptEnded, verdict: Verdict & { outcome: 'failed' | 'snoozed' }): void {
  event.code = verdict.code;
  event.message = verdict.message;
  if (verdict.retryInMs !== null) event.retryInMs = verdict.retryInMs;
}
