// Carries what no nudge carried: jobs committed while the engine was away, or by a process that died right after.
import type { Relay } from '../../ledger/relay.ts';
import type { Duty } from './duty.ts';

export function relaySweep(relay: Relay, everyMs: number): Duty {
  return {
    name: 'relay-sweep',
    everyMs,
    async run() {
      let total = 0;
      for (let claimed = await relay.sweep(); claimed > 0; claimed = await relay.sweep()) total += claimed;
      return total;
    },
  };
}
