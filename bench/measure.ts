// Small arithmetic for the bench: CPU of this process, medians.
/**
 * Starts `count` items and gives their rate and the CPU seconds per 1,000, from the first end to the last: opening connections
 * is no throughput, on either side. `start` calls its argument at each end.
 */
export async function measured(
  count: number,
  start: (ended: () => void) => unknown,
): Promise<{ rate: number; cpuS: number }> {
  let left = count;
  let first = { at: 0, cpu: process.cpuUsage() };
  const seconds = await new Promise<number>((resolve, reject) => {
    const ended = (): void => {
      if (left === count) first = { at: performance.now(), cpu: process.cpuUsage() };
      left -= 1;
      if (left === 0) resolve((performance.now() - first.at) / 1_000);
    };
    Promise.resolve(start(ended)).catch(reject);
  });
  const used = process.cpuUsage(first.cpu);
  return {
    rate: (count - 1) / seconds,
    cpuS: ((used.user + used.system) / 1_000_000 / (count - 1)) * 1_000,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
