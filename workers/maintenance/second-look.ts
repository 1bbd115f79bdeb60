// A job that the engine has delivered and nobody has begun is, in a backlog, just between the two; one that is still so at a
// later look was taken by a worker that died (docs/decisions/0003).
import { engineId } from '../../engine/types.ts';
import type { Dispatched } from '../../ledger/recover.ts';

/** Spares each job at its first look, and until `forMs` after it. */
export class SecondLook {
  readonly #forMs: number;
  /** When each was first seen so. */
  #seen = new Map<string, number>();

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  spare({ id, generation }: Dispatched): boolean {
    const name = engineId({ jobId: id, generation });
    const now = performance.now();
    const first = this.#seen.get(name) ?? now;
    this.#seen.set(name, first);
    return now - first < this.#forMs;
  }

  /** Forgets those that nobody has asked about for long: they have begun. */
  prune(): void {
    const limit = performance.now() - this.#forMs * 100;
    for (const [name, first] of this.#seen) if (first < limit) this.#seen.delete(name);
  }
}
