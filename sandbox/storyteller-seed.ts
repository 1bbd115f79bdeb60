// Chance that can be repeated: the same text always draws the same lots. Nothing else in the sandbox invents anything.
import { createHash } from 'node:crypto';

/** Draws lots; every call moves on. */
export interface Lots {
  /** 0 <= n < 1 */
  next: () => number;
  /** Whole number from `low` to `high`, both included. */
  between: (low: number, high: number) => number;
  pick: <T>(from: readonly T[]) => T;
}

export function lotsOf(text: string): Lots {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0);
  const next = (): number => {
    // mulberry32: small, fast, and even enough for choosing words and hills.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(from: readonly T[]): T => {
    const found = from[Math.floor(next() * from.length)];
    if (found === undefined)
      throw new Error('nothing was picked: the list is empty; give at least one entry');
    return found;
  };
  return { next, between, pick };
}
