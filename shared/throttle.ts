// Counts failures per address in a sliding minute: guessing is slowed down without keeping anything for ever.
import { LRUCache } from 'lru-cache';

export interface Throttle {
  /** Seconds to wait before the next try; 0 when one is free. */
  waitSeconds: (address: string, nowMs: number) => number;
  failed: (address: string, nowMs: number) => void;
}

const windowMs = 60_000;

export function createThrottle(options: { perMinute: number }): Throttle {
  const failures = new LRUCache<string, number[]>({ max: 10_000, ttl: windowMs });
  const recent = (address: string, nowMs: number): number[] =>
    (failures.get(address) ?? []).filter((at) => at > nowMs - windowMs);
  return {
    waitSeconds(address, nowMs) {
      const times = recent(address, nowMs);
      const oldest = times.length < options.perMinute ? undefined : times[0];
      return oldest === undefined ? 0 : Math.max(1, Math.ceil((oldest + windowMs - nowMs) / 1_000));
    },
    failed(address, nowMs) {
      failures.set(address, [...recent(address, nowMs), nowMs].slice(-options.perMinute));
    },
  };
}
