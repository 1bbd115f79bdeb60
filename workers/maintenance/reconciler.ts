// Notices that the engine has lost what it had, and gives it everything again. A look at the canary costs one round trip each
// way. Entries that only the engine knows are left to it: their begin is refused. Safe beside live work and beside another
// reconciler.
import type { Broker } from '../../engine/types.ts';
import type { Emit } from '../../shared/events.ts';
import type { Db } from '../../ledger/db.ts';
import { doubtOf, underNewEpoch, type Doubt } from '../../ledger/epoch.ts';
import { leaveLead, takeLead } from '../../ledger/leader.ts';
import { recoverAll } from '../../ledger/recover-all.ts';
import type { Relay } from '../../ledger/relay.ts';
import type { Duty } from './duty.ts';

export interface ReconcilerOptions {
  db: Db;
  broker: Broker;
  relay: Relay;
  queues: readonly string[];
  workerId: string;
  everyMs: number;
  emit: Emit;
}

/** All processes look when the engine comes back; one of them compares. Renewed after each page. */
const lead = 'recovery';
const leadMs = 15_000;

export function reconciler(options: ReconcilerOptions): Duty {
  const { db, broker, workerId } = options;
  return {
    name: 'reconciler',
    everyMs: options.everyMs,
    async run() {
      if (!broker.ready) return 0;
      const doubt = await doubtOf(db, broker);
      if (doubt === undefined) return 0;
      if (!(await takeLead(db, lead, workerId, leadMs))) return 0; // who has it notes the epoch when it is through
      try {
        return await recover(options, doubt);
      } finally {
        await leaveLead(db, lead, workerId).catch(() => undefined); // it ends by itself
      }
    },
  };
}

async function recover(options: ReconcilerOptions, doubt: Doubt): Promise<number> {
  const { db, broker, workerId, emit } = options;
  const start = performance.now();
  const afterPage = async (): Promise<void> => {
    if (await takeLead(db, lead, workerId, leadMs)) return;
    throw new Error('recovery failed: this process was too slow and another one took it over');
  };
  const { compared, broughtBack } = await underNewEpoch(db, broker, () =>
    recoverAll({ ...options, afterPage }),
  );
  const durationMs = Math.round(performance.now() - start);
  if (doubt !== 'new') emit('engine.recovered', { doubt, compared, broughtBack, durationMs });
  return broughtBack;
}
