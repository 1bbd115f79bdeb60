// How late this process's event loop is. A process that cannot turn cannot renew its leases either: when it stood still for a
// third of the lease it takes no more jobs, until it has kept up for two seconds.
import type { Emit } from '../shared/events.ts';
import type { Intake } from './intake.ts';

export interface LagWatchOptions {
  intake: Pick<Intake, 'hold' | 'release'>;
  emit: Emit;
  leaseMs: number;
}

const everyMs = 500;
const calmTurns = 4;

/** Returns the way to stop. */
export function watchLag({ intake, emit, leaseMs }: LagWatchOptions): () => void {
  const limitMs = leaseMs / 3;
  let due = performance.now() + everyMs;
  let calm = 0;

  function turn(): void {
    const lagMs = Math.max(0, performance.now() - due);
    due = performance.now() + everyMs;
    emit('loop.turned', { lagMs: Math.round(lagMs) });
    calm = lagMs > limitMs ? 0 : calm + 1;
    if (calm === 0)
      intake.hold(
        'event_loop',
        `this process stood still for ${Math.round(lagMs)} ms; give it more CPU or less work`,
      );
    if (calm === calmTurns) intake.release('event_loop');
  }

  const timer = setInterval(turn, everyMs);
  return () => clearInterval(timer);
}
