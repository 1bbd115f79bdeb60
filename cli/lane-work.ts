// The quarantine lane's process itself, `work --lane`: holds the lane, runs its jobs one at a time with the handlers of all
// kinds, ends when the lane is empty. A fault ends it at once: its one job is the cause.
import { newId } from '../shared/ids.ts';
import { holdLane } from '../workers/quarantine.ts';
import { startWork, type Work, type WorkOptions } from '../workers/work.ts';
import type { LaneMessage, Part } from './process.ts';

/** How long the lane's process may be silent before another one takes the lane, in ms: a busy machine is no crash. */
export function laneLeadMs(leaseMs: number): number {
  return Math.max(leaseMs, 10_000);
}

export async function runLane(
  { config, emit, lifecycle, onFault }: Part,
  options: WorkOptions,
): Promise<string> {
  const workerId = newId();
  const end = (reason: string): void => {
    emit('notice', { level: 'info', message: reason });
    void lifecycle.stop(reason);
  };
  const leadMs = laneLeadMs(config.STORYTIME_LEASE_MS);
  const hold = { db: options.db, holder: workerId, leadMs, idleMs: config.STORYTIME_LEASE_MS * 2, end };
  const leave = await holdLane(hold);
  if (leave === undefined) {
    end('another process has the quarantine lane');
    return '';
  }
  onFault((message) => {
    // Not in order: what ran here would be handed back, and do the same again.
    process.send?.({ type: 'fault', message } satisfies LaneMessage, () => process.exit(1));
  });
  lifecycle.onStop('the lane', leave);
  const work = await startWork({ ...options, laneAs: workerId, recycle: end });
  lifecycle.onStop('the work', () => work.stop(), config.STORYTIME_GRACE_MS + 5_000);
  const unwatch = endWhenHeld(work, leadMs, end);
  lifecycle.onStop('the watch of the intake', () => Promise.resolve(unwatch()));
  return '';
}

/** A process that takes no jobs (its clock is wrong, say) leaves the lane to another machine's. */
function endWhenHeld(work: Pick<Work, 'ready'>, limitMs: number, end: (reason: string) => void): () => void {
  let freeAt = performance.now();
  async function look(): Promise<void> {
    const { held } = await work.ready();
    if (held.length === 0) freeAt = performance.now();
    else if (performance.now() - freeAt > limitMs)
      end(`the quarantine lane takes no jobs: ${held.join(', ')}`);
  }
  const timer = setInterval(() => void look(), limitMs / 3);
  return () => clearInterval(timer);
}
