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
  const unwatch = endWhenUnfit(work, leadMs, end);
  lifecycle.onStop('the watch of the lane', () => Promise.resolve(unwatch()));
  return '';
}

/**
 * A process whose clock is wrong, or that cannot reach the engine, leaves the lane to another machine's when nothing runs in it.
 * Other reasons to take nothing are of its job, or of all machines.
 */
function endWhenUnfit(
  work: Pick<Work, 'ready' | 'idle'>,
  limitMs: number,
  end: (reason: string) => void,
): () => void {
  let fitAt = performance.now();
  async function look(): Promise<void> {
    const { engine, held } = await work.ready();
    const isUnfit = !engine || held.includes('clock');
    if (!isUnfit || !work.idle()) fitAt = performance.now();
    else if (performance.now() - fitAt > limitMs)
      end(`the quarantine lane takes no jobs: ${engine ? 'the clock is wrong' : 'the engine is away'}`);
  }
  const timer = setInterval(() => void look(), limitMs / 3);
  return () => clearInterval(timer);
}
