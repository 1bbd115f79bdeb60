// The rows of all gates as this process saw them last, at most a second old while calls are made: one question to the
// ledger a second, however many calls ask. Tells when it sees one change. A ledger that is away leaves the last answer.
import { providerOf } from '../shared/call.ts';
import type { Emit } from '../shared/events.ts';
import type { Db } from '../ledger/db.ts';
import { readGates, type GateRow } from '../ledger/gates.ts';

/** How old the rows may be, and how long a call waits for newer ones, in ms. */
const believedMs = 1_000;
/** Nobody may make a call while a gate is closed, and the metrics must still see it open: look by yourself, in ms. */
const watchMs = 5_000;

export class GatesView {
  readonly #db: Db;
  readonly #emit: Emit;
  readonly #closed = new Set<string>();
  readonly #writing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #gates: ReadonlyMap<string, GateRow> = new Map();
  #processes = 1;
  /** performance.now() of the last answer, and of the last question, which may have failed. */
  #readAt = -Infinity;
  #askedAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(db: Db, emit: Emit) {
    this.#db = db;
    this.#emit = emit;
    this.#timer = setInterval(() => {
      if (this.#closed.size > 0) void this.#ask();
    }, watchMs).unref();
  }

  /** The row, with its times counted from now; undefined for a gate that was never touched. */
  row(gate: string): GateRow | undefined {
    const row = this.#gates.get(gate);
    if (row === undefined) return undefined;
    const ageMs = performance.now() - this.#readAt;
    const probeMs = row.probeMs !== undefined && row.probeMs > ageMs ? row.probeMs - ageMs : undefined;
    return { ...row, waitMs: row.waitMs - ageMs, probeMs };
  }

  /** Work processes that share the providers, this one included. */
  get processes(): number {
    return this.#processes;
  }

  /** Resolves when the rows are young enough, or the ledger has taken too long to tell. */
  async fresh(): Promise<void> {
    if (performance.now() - this.#askedAt <= believedMs) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, believedMs)));
    await Promise.race([this.#ask(), late]).finally(() => clearTimeout(timer));
  }

  /** Asks again, after the question under way: its answer may be older than what was just written. */
  async reread(): Promise<void> {
    await this.#reading;
    await this.#ask();
  }

  /** Runs a write in the background, then looks at what it did; `then` is not called when the ledger did not take it. */
  write(work: () => Promise<unknown>, then: () => void = () => undefined): void {
    const done = work()
      .then(() => this.reread())
      .then(then, () => undefined)
      .finally(() => this.#writing.delete(done));
    this.#writing.add(done);
  }

  /** Stops watching; resolves when nothing is being written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#writing);
  }

  #ask(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const { gates, processes } = await readGates(this.#db);
      this.#gates = gates;
      this.#processes = processes;
      this.#readAt = performance.now();
    } catch {
      // The last answer stands.
    }
    this.#askedAt = performance.now();
    for (const [gate, row] of this.#gates) this.#tell(gate, row);
  }

  #tell(gate: string, { open, reason }: GateRow): void {
    if (open !== this.#closed.has(gate)) return;
    if (open) this.#closed.delete(gate);
    else this.#closed.add(gate);
    const provider = providerOf(gate) ?? gate;
    this.#emit('provider.gate', { provider, gate, state: open ? 'open' : 'closed', reason });
  }
}
