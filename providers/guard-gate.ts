// What a guard knows of the gate that all processes share, and how a call's end is told to it. Types and two pure tables:
// the row itself is kept elsewhere.
import type { Failure, FailureCode } from '../shared/errors.ts';

export type ClosingReason = 'unavailable' | 'rate_limited' | 'auth' | 'quota_exhausted';

/** May this call be made? `probe`: alone, and one of the three ends must be told; it is told when the promise resolves. */
export type Entry =
  | { kind: 'open'; terms: Terms }
  | { kind: 'probe'; probe: Probe }
  | { kind: 'closed'; reason: string; forMs: number };

/** On what terms an open provider is called. */
export interface Terms {
  /** Names the last opening, for a while after it: calls begin with one at a time. */
  opening: number | undefined;
  /** This process's share of what the vendor allows at once. */
  maxCalls: number | undefined;
}

export interface Probe {
  succeeded: () => Promise<void>;
  /** The probe told nothing about the provider. Without it nobody would probe until the claim has run out. */
  abandoned: () => Promise<void>;
}

export interface Gate {
  /** False: nobody shares it, and the breaker alone decides when calls are welcome again. */
  shared: boolean;
  /** Asked before each call. `probeMs`: how long this call would take at most. */
  enter: (probeMs: number) => Promise<Entry>;
  /** Milliseconds for which this process knows it to be closed; 0 when it is not. Asks nobody. */
  closedForMs: () => number;
  /**
   * Closes it for all processes. `probed`: this is the end of this process's probe; whatever else closes it leaves the probe alone.
   * `ageMs`: of the call that this is about; one from before the last opening is out of date. Returns milliseconds until it may be
   * tried again.
   */
  close: (closing: {
    reason: ClosingReason;
    forMs?: number | undefined;
    probed?: boolean;
    ageMs?: number;
  }) => number;
  /** The vendor takes so many calls at once from all of us. */
  limit: (maxCalls: number) => void;
}

/** Where no process shares anything: always open. */
export const noGate: Gate = {
  shared: false,
  enter: () => Promise.resolve({ kind: 'open', terms: { opening: undefined, maxCalls: undefined } }),
  closedForMs: () => 0,
  close: () => 0,
  limit: () => undefined,
};

/** The provider is sick. Everything else says something about the call, the key or us. */
export const outage: ReadonlySet<FailureCode> = new Set(['unavailable', 'timeout', 'unknown_outcome']);
/** The provider looked at the call and refused it: it is up. */
export const answered: ReadonlySet<FailureCode> = new Set(['bad_input', 'content_blocked', 'bad_output']);

/** Why this failure of one call should stop everybody, if it should. An outage does only when it is a probe's. */
export function closingOf(failure: Failure, probing: boolean): ClosingReason | undefined {
  const { code } = failure;
  if (code === 'auth' || code === 'quota_exhausted') return code;
  if (code === 'rate_limited')
    return failure.retryAfterMs === undefined || failure.retryAfterMs <= 0 ? undefined : code;
  return probing && outage.has(code) ? 'unavailable' : undefined;
}

/** What a probe that failed in this way says: the provider is back, or is not, or nothing. */
export function tellsOf(failure: Failure): 'back' | 'away' | 'nothing' {
  if (closingOf(failure, true) !== undefined) return 'away';
  return answered.has(failure.code) || failure.code === 'rate_limited' ? 'back' : 'nothing';
}

/** Spreads what would come back at one moment: nobody early, the last one half as late again. */
export function spread(forMs: number, random: number): number {
  const widthMs = Math.min(Math.max(forMs / 2, 500), 60_000);
  return Math.round(forMs + widthMs * random);
}
