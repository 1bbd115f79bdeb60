// What a work process does for all of them, beside its jobs: maintenance when it has the lead, the quarantine lane, an ear for
// what other processes enqueue. The lane's own process does none of it.
import type { HoldReason } from '../shared/events.ts';
import type { Dispatch } from '../ledger/insert.ts';
import { listen } from '../ledger/listen.ts';
import type { ReadinessWatch } from '../ledger/readiness.ts';
import type { Duty } from './maintenance/duty.ts';
import { ageing } from './maintenance/ageing.ts';
import { startMaintenance } from './maintenance/loop.ts';
import { expirer, pruner, waiterRepair } from './maintenance/pruner.ts';
import { reconciler } from './maintenance/reconciler.ts';
import { relaySweep } from './maintenance/relay-sweep.ts';
import { rescuer } from './maintenance/rescuer.ts';
import { scrubber } from './maintenance/scrubber.ts';
import { unparker } from './maintenance/unparker.ts';
import { longestPauseMs } from './persist.ts';
import { within } from './phases.ts';
import { quarantine } from './quarantine.ts';
import type { WorkOptions } from './work.ts';

/** How long a round under way may hold a stop, in ms. */
const roundMs = 1_500;

export interface Care {
  stop: () => Promise<void>;
}

interface CareOptions {
  workerId: string;
  onCommitted: (rows: readonly Dispatch[]) => void;
  /** The ledger was away when this process began. */
  afterOutage: boolean;
  /** Why this process takes no jobs; empty when it does. */
  held: () => readonly HoldReason[];
  readiness: ReadinessWatch;
}

export function startCare(options: WorkOptions, own: CareOptions): Care {
  const { workerId, onCommitted, afterOutage, held, readiness } = own;
  const { db, broker, emit, config } = options;
  const everyMs = config.STORYTIME_SWEEP_MS;
  const lane = options.openLane?.(() => {
    maintenance.hint('rescuer');
    maintenance.hint('quarantine');
  });
  const queues = options.registry.queues.map(({ name }) => name);
  const duties = dutiesOf(options, { workerId, queues, onCommitted });
  const fit = async (): Promise<boolean> => held().length === 0 && (await readiness.now()).engine;
  if (lane !== undefined) duties.push(quarantine({ db, everyMs, lane, fit, onCommitted }));
  const leadMs = Math.max(everyMs * 2, 1_000);
  const calmMs = Math.max(config.STORYTIME_RENEW_MS, longestPauseMs) + 500;
  const turns = { leadMs, calmMs, afterOutage, fit };
  const maintenance = startMaintenance({ db, workerId, duties, queues, ...turns, emit });
  // All processes hear it, and what one claims and cannot carry waits for ten seconds.
  const unlisten = listen(
    db,
    () => void fit().then((yes) => (yes ? maintenance.hint('relay-sweep') : undefined)),
  );
  // It may have come back with less.
  broker.onReturn(() => ['reconciler', 'scrubber'].forEach((name) => maintenance.hint(name)));
  return {
    async stop() {
      // A round that waits for an absent store is nobody's loss: another process does it again.
      const rounds = maintenance.stop().then(unlisten);
      await Promise.all([within(roundMs, rounds), lane?.stop()]);
    },
  };
}

interface Carer {
  workerId: string;
  queues: readonly string[];
  onCommitted: (rows: readonly Dispatch[]) => void;
}

function dutiesOf(options: WorkOptions, carer: Carer): Duty[] {
  const { db, relay, config, emit } = options;
  const { onCommitted } = carer;
  const everyMs = config.STORYTIME_SWEEP_MS;
  const leaseMs = config.STORYTIME_LEASE_MS;
  return [
    relaySweep(relay, Math.min(everyMs, 2_000)),
    rescuer({ ...options, ...carer, leaseMs, everyMs }),
    reconciler({ ...options, ...carer, everyMs: config.STORYTIME_RECONCILE_MS }),
    scrubber({ ...options, ...carer, everyMs: config.STORYTIME_RECONCILE_MS }),
    ageing({ ...options, ...carer, boundMs: config.STORYTIME_AGEING_MS, everyMs }),
    unparker({ db, onCommitted, aliveMs: leaseMs, everyMs }),
    expirer({ db, emit, onCommitted }, everyMs * 6),
    waiterRepair(db, everyMs * 6),
    pruner(db, 60_000),
  ];
}
