// Tells how an attempt ended: the one wide log line and the metrics come from these events; the engine gets its ending.
import type { Emit } from '../shared/events.ts';
import type { Ending } from '../engine/types.ts';
import type { Begun } from '../ledger/begin.ts';
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
  const facts = { jobId: begun.jobId, queue: begun.queue, kind: begun.kind };
  reporter.emit('attempt.ended', {
    ...facts,
    tenant: begun.tenant,
    attempt: begun.attemptNo,
    generation: begun.generation,
    outcome: state === 'cancelled' ? 'cancelled' : verdict.outcome,
    state: state ?? 'refused',
    durationMs: Math.round(performance.now() - startedAt),
    ...(begun.attemptNo === 1 && { waitMs: Math.round(begun.waitMs) }),
    ...failureFacts(verdict),
    workerId: reporter.workerId,
    recorded: state !== undefined,
  });
  if (state !== undefined && isFinal(state)) {
    reporter.emit('job.finished', { ...facts, state, endToEndMs: Date.now() - begun.createdMs });
  }
  if (state === 'dead' && verdict.outcome === 'failed')
    return { failed: true, message: `${verdict.code}: ${verdict.message}` };
  return { failed: false, outcome: state ?? 'refused' };
}

function failureFacts(verdict: Verdict): {
  code?: (Verdict & { outcome: 'failed' })['code'];
  message?: string;
  retryInMs?: number;
} {
  if (verdict.outcome !== 'failed' && verdict.outcome !== 'snoozed') return {};
  const { code, message, retryInMs } = verdict;
  return { code, message, ...(retryInMs !== null && { retryInMs }) };
}
