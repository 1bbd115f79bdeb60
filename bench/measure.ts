// Small arithmetic for the bench: CPU of this process, medians.
import { EventEmitter, once } from 'node:events';

/** Runs `work` on `count` items and gives the rate and the CPU seconds per 1,000. */
export async function measured(
  count: number,
  work: () => Promise<void>,
): Promise<{ rate: number; cpuS: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  return { rate: count / seconds, cpuS: ((used.user + used.system) / 1_000_000 / count) * 1_000 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Resolves when `done` has been called `count` times. */
export function countdown(count: number): { done: () => void; all: Promise<void> } {
  const counter = new EventEmitter();
  const all = once(counter, 'zero').then(() => undefined);
  let left = count;
  return {
    done() {
      left -= 1;
      if (left === 0) counter.emit('zero');
    },
    all,
  };
}
