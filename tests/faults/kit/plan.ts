// What the processes of a row are told through files: at which named moment to stop, and how wrong their clock is; and the
// chance of the row. kit/preload.js, loaded into each process, follows.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of the plan that kit/preload.js follows: see there. */
export interface Stop {
  point: 'enqueue.committed' | 'dispatch.added' | 'attempt.begun' | 'step.answered' | 'attempt.finishing';
  action: 'kill' | 'stop';
  nth?: number;
  times?: number;
  kind?: string;
  step?: string;
}

export interface Plan {
  /** Told the processes that were started with `planned()` in their environment; may change while they run. */
  plan: (stops: readonly Stop[]) => void;
  /** The environment that makes a process follow the plan. */
  planned: () => Record<string, string>;
  /** The moments at which the plan stopped a process. */
  fired: () => { point: string; jobId: string; step?: string; pid: number; at: number }[];
  /** Moves the clock of the process started with its environment. */
  clock: (name: string) => Clock;
}

export interface Clock {
  env: Record<string, string>;
  /** Takes effect within a second. */
  set: (aheadMs: number) => void;
  /** How far ahead the process now is. */
  shown: () => number;
}

export function planOf(folder: string): Plan {
  const file = join(folder, 'plan.json');
  return {
    plan: (stops) => writeFileSync(file, JSON.stringify(stops)),
    planned: () => ({ FAULTS_PLAN: file }),
    fired() {
      try {
        const lines = readFileSync(`${file}.fired`, 'utf8').split('\n').filter(Boolean);
        return lines.map((line) => JSON.parse(line) as ReturnType<Plan['fired']>[number]);
      } catch {
        return []; // none yet
      }
    },
    clock(name) {
      const clock = join(folder, `clock-${name}`);
      return {
        env: { FAULTS_CLOCK: clock },
        set: (aheadMs) => writeFileSync(clock, String(aheadMs)),
        shown: () => (existsSync(`${clock}.shown`) ? Number(readFileSync(`${clock}.shown`, 'utf8')) : 0),
      };
    },
  };
}

/** mulberry32: small, and the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
