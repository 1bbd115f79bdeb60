// Whether this process takes jobs. Whoever sees a reason not to (the clock is wrong, this process is too slow, the engine is
// full) holds the intake; when no reason is left it takes again. Jobs under way are never touched by it.
import type { Emit, HoldReason } from '../shared/events.ts';
import type { Taker } from '../engine/types.ts';

export interface Intake {
  /** Takes nothing more, until `release` with the same reason. Said again it only changes the message. */
  hold: (reason: HoldReason, message: string) => void;
  release: (reason: HoldReason) => void;
  /** Why nothing is taken; empty when jobs are. */
  held: () => readonly HoldReason[];
  takers: readonly Taker[];
  /** Takers, made held, start with the others. */
  add: (...more: Taker[]) => void;
  /** The process stops: nothing is taken again, whatever is released. */
  end: () => void;
}

export function createIntake(emit: Emit): Intake {
  const reasons = new Set<HoldReason>();
  const takers: Taker[] = [];
  let ended = false;

  function follow(taker: Taker): void {
    if (ended || reasons.size > 0) taker.hold();
    else taker.take();
  }

  return {
    hold(reason, message) {
      if (reasons.has(reason)) return;
      reasons.add(reason);
      emit('intake.changed', { reason, held: true, message });
      if (reasons.size === 1) takers.forEach(follow);
    },
    release(reason) {
      if (!reasons.delete(reason)) return;
      emit('intake.changed', { reason, held: false });
      if (reasons.size === 0) takers.forEach(follow);
    },
    held: () => [...reasons],
    takers,
    add(...more) {
      takers.push(...more);
      more.forEach(follow);
    },
    end() {
      ended = true;
    },
  };
}
