// Compares this machine's clock with the ledger's at the start, every minute, and at once after a jump. More than two seconds
// apart is a warning; more than five, and this process takes no jobs until it is right again: BullMQ on PostgreSQL goes by
// the worker's own clock, so a fast one would take jobs early and other workers' jobs away from them.
import type { Emit } from '../shared/events.ts';
import { compareClocks } from '../ledger/clock.ts';
import type { Db } from '../ledger/db.ts';
import type { Intake } from './intake.ts';

export interface ClockWatchOptions {
  db: Pick<Db, 'ping' | 'run'>;
  intake: Pick<Intake, 'hold' | 'release'>;
  emit: Emit;
}

export interface ClockWatch {
  /** Resolves when the clocks have been compared for the first time, however it came out. */
  compared: Promise<void>;
  stop: () => void;
}

const warnMs = 2_000;
const refuseMs = 5_000;
const everyMs = 60_000;
/** While the clock is wrong, or the ledger could not be asked. */
const againMs = 2_000;
const lookMs = 500;

export function watchClock(options: ClockWatchOptions): ClockWatch {
  let nextAt = 0;
  let asking = false;
  let offset = offsetNow();
  let first: (() => void) | undefined;
  const compared = new Promise<void>((resolve) => (first = resolve));

  async function ask(): Promise<void> {
    asking = true;
    try {
      const good = judge(options, await compareClocks(options.db));
      nextAt = performance.now() + (good ? everyMs : againMs);
      first?.();
    } catch {
      nextAt = performance.now() + againMs; // the ledger is away, which the readiness tells
    } finally {
      asking = false;
    }
  }

  function look(): void {
    const before = offset;
    offset = offsetNow();
    if (Math.abs(offset - before) > warnMs / 2) nextAt = 0; // the clock was set, or this machine slept
    if (!asking && performance.now() >= nextAt) void ask();
  }

  look();
  const timer = setInterval(look, lookMs);
  return { compared, stop: () => clearInterval(timer) };
}

/** Grows when the clock is set forward; time itself does not move it. */
function offsetNow(): number {
  return Date.now() - performance.now();
}

/** Whether the clock is good enough to take jobs. */
function judge(
  { intake, emit }: ClockWatchOptions,
  { aheadMs, uncertainMs }: { aheadMs: number; uncertainMs: number },
): boolean {
  const certainMs = Math.max(0, Math.abs(aheadMs) - uncertainMs);
  const message = `this machine's clock is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the database's; set it by network time`;
  emit('clock.compared', { aheadMs: Math.round(aheadMs) });
  if (certainMs > refuseMs) intake.hold('clock', message);
  else intake.release('clock');
  if (certainMs > warnMs && certainMs <= refuseMs) emit('notice', { level: 'warn', message });
  return certainMs <= refuseMs;
}
