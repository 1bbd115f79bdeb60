// Each gate as a guard in this process sees it: the shared row, and what the process has just found out itself and is still
// writing there. It holds at most one probe for each gate, and only if the ledger gave it. A refused key closes all gates of
// its provider; all else that a call finds out is about its own gate.
import { hostname } from 'node:os';
import { gateNames, providerOf } from '../shared/call.ts';
import type { Emit } from '../shared/events.ts';
import { newId } from '../shared/ids.ts';
import type { Db } from '../ledger/db.ts';
import {
  claimProbe,
  closeGates,
  limitCalls,
  releaseProbe,
  reopenGate,
  type Closing,
  type GateRow,
} from '../ledger/gates.ts';
import { believed } from '../providers/failure.ts';
import type { ClosingReason, Entry, Gate } from '../providers/guard-gate.ts';
import { GatesView } from './gates-view.ts';

export interface GatesOptions {
  db: Db;
  emit: Emit;
  /** How long a gate is closed after a first outage, in ms; everything else is in proportion. */
  baseMs: number;
}

export interface Gates {
  of: (name: string) => Gate;
  /** Stops watching; resolves when nothing is being written. */
  close: () => Promise<void>;
}

/** A vendor's limit is a matter of the plan; it is learnt again after this long, in ms. */
const limitMs = 3_600_000;
/** Two closings that end within this time of each other are one, in ms. */
const sameMs = 250;
/** A claim outlives the call it is for by this long, in ms, for the writes around it. */
const claimSlackMs = 5_000;

/** First and longest time of a closing, in units of `baseMs`. */
const lengths = {
  unavailable: { base: 1, cap: 20 },
  auth: { base: 20, cap: 240 },
  quota_exhausted: { base: 60, cap: 240 },
} as const;

export function openGates(options: GatesOptions): Gates {
  const view = new GatesView(options.db, options.emit);
  const gates = new Map<string, SharedGate>();
  const of = (name: string): SharedGate => {
    const gate = gates.get(name) ?? new SharedGate(name, view, { ...options, of });
    gates.set(name, gate);
    return gate;
  };
  return { of, close: () => view.close() };
}

/** All gates of the provider that this one is of, itself included. */
function familyOf(name: string): readonly string[] {
  const provider = providerOf(name);
  return provider === undefined ? [name] : gateNames[provider];
}

/** Closes a gate as an opened breaker does. Calls that are still let through elsewhere end within a second. */
export async function shutGate(db: Db, name: string, unitMs: number): Promise<void> {
  const length = lengthOf('unavailable', unitMs, undefined);
  await closeGates(db, {
    gates: [name],
    reason: 'unavailable',
    by: ownName(),
    probeId: undefined,
    ...length,
  });
}

function ownName(): string {
  return `${hostname()}:${process.pid}`;
}

/** `of`: the others of this process. */
type SharedGateOptions = GatesOptions & { of: (name: string) => SharedGate };

class SharedGate implements Gate {
  readonly shared = true;
  readonly #name: string;
  readonly #view: GatesView;
  readonly #options: SharedGateOptions;
  /** performance.now() until which this process keeps away because of what it has just seen. */
  #shutUntil = 0;
  #reason: ClosingReason = 'unavailable';
  #probeId: string | undefined;

  constructor(name: string, view: GatesView, options: SharedGateOptions) {
    this.#name = name;
    this.#view = view;
    this.#options = options;
  }

  async enter(probeMs: number): Promise<Entry> {
    if (this.#shutMs() <= 0) await this.#view.fresh();
    if (this.#shutMs() > 0) return { kind: 'closed', reason: this.#reason, forMs: this.#shutMs() };
    const row = this.#view.row(this.#name);
    if (row === undefined || row.open) return { kind: 'open', terms: this.#termsOf(row) };
    const { reason, waitMs } = row;
    if (waitMs > 0) return { kind: 'closed', reason, forMs: waitMs };
    const mine = row.probeMs === undefined && (await this.#claim(probeMs));
    return mine ? this.#probing() : { kind: 'closed', reason, forMs: this.#pauseMs(row.probeMs) };
  }

  closedForMs(): number {
    const row = this.#view.row(this.#name);
    return Math.max(0, this.#shutMs(), row === undefined || row.open ? 0 : row.waitMs);
  }

  close({ reason, forMs, probed = false, ageMs = 0 }: Parameters<Gate['close']>[0]): number {
    const length = lengthOf(reason, this.#options.baseMs, forMs);
    const until = performance.now() + length.baseMs;
    // A call that was sent before the gate was closed, and fails now, must not end the probe that looks whether all is well again.
    const probeId = probed ? this.#probeId : undefined;
    // Many calls that fail together say the same thing: the first one is written. The end of a probe always is.
    const known = reason === this.#reason && until <= this.#shutUntil + sameMs;
    if (known && probeId === undefined) return length.baseMs;
    if (probed) this.#probeId = undefined;
    const gates = reason === 'auth' ? familyOf(this.#name) : [this.#name];
    const shut = gates.map((name) => this.#options.of(name));
    for (const gate of shut) gate.#keepAway(reason, until);
    this.#view.write(
      () =>
        this.#write({
          gates,
          reason,
          probeId,
          ageMs,
          capMs: length.capMs,
          baseMs: Math.max(1, until - performance.now()),
        }),
      // From here on the rows say it. Until then, and if it cannot be written, this process keeps away by itself.
      () => {
        for (const gate of shut) gate.#trustRow(until);
      },
    );
    return length.baseMs;
  }

  /** The process keeps away by itself, if not for longer already. */
  #keepAway(reason: ClosingReason, until: number): void {
    if (this.#shutUntil > until) return;
    this.#reason = reason;
    this.#shutUntil = until;
  }

  #trustRow(until: number): void {
    if (this.#shutUntil === until) this.#shutUntil = 0;
  }

  async #write(closing: Omit<Closing, 'by'>): Promise<void> {
    const { db, emit } = this.#options;
    const { reason } = closing;
    const news = await closeGates(db, { ...closing, by: ownName() });
    if (!news || (reason !== 'auth' && reason !== 'quota_exhausted')) return;
    const gate = this.#name;
    emit('provider.alert', { provider: providerOf(gate) ?? gate, gate, reason });
  }

  limit(maxCalls: number): void {
    if (this.#view.row(this.#name)?.maxCalls === maxCalls) return;
    this.#view.write(() => limitCalls(this.#options.db, this.#name, maxCalls, limitMs));
  }

  #shutMs(): number {
    return this.#shutUntil - performance.now();
  }

  /** How long to wait for somebody else's probe before looking again, in ms: one that hangs does not start everybody every moment. */
  #pauseMs(probeMs = 0): number {
    const { baseMs } = this.#options;
    return Math.max(Math.min(Math.max(baseMs / 3, 200), 5_000), Math.min(probeMs, baseMs));
  }

  /** Processes that share a limit take equal parts of it, and each at least one call. */
  #termsOf(row: GateRow | undefined) {
    if (row?.maxCalls === undefined) return { opening: row?.opening, maxCalls: undefined };
    return { opening: row.opening, maxCalls: Math.max(1, Math.floor(row.maxCalls / this.#view.processes)) };
  }

  async #claim(probeMs: number): Promise<boolean> {
    if (this.#probeId !== undefined) return false;
    const probeId = newId();
    this.#probeId = probeId;
    const claimed = claimProbe(this.#options.db, this.#name, probeId, probeMs + claimSlackMs);
    if (await claimed.catch(() => false)) return true;
    this.#probeId = undefined;
    void this.#view.reread(); // somebody was faster, or has closed it again
    return false;
  }

  #probing(): Entry {
    const { db } = this.#options;
    const probeId = this.#probeId ?? '';
    // Our own place is given back once the row is read again: until then it would look free.
    const end = (work: Promise<unknown>): Promise<void> =>
      new Promise((resolve) =>
        this.#view.write(
          () => work.catch(() => undefined),
          () => {
            if (this.#probeId === probeId) this.#probeId = undefined;
            resolve();
          },
        ),
      );
    return {
      kind: 'probe',
      probe: {
        succeeded: () => end(reopenGate(db, this.#name, probeId)),
        abandoned: () => end(releaseProbe(db, this.#name, probeId)),
      },
    };
  }
}

type Length = Pick<Closing, 'baseMs' | 'capMs'>;

function lengthOf(reason: ClosingReason, unitMs: number, given: number | undefined): Length {
  const askedMs = believed(given);
  if (reason === 'rate_limited') return { baseMs: askedMs ?? unitMs, capMs: 0 }; // as asked, each time
  const { base, cap } = lengths[reason];
  const wishMs = reason === 'quota_exhausted' && askedMs !== undefined ? askedMs : base * unitMs;
  return { baseMs: Math.min(Math.max(wishMs, unitMs), cap * unitMs), capMs: cap * unitMs };
}
