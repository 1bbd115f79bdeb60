// Gives dead workers' jobs back, and jobs that should have begun and do not wait in the engine. It tells
// each death. The only owner of recovery.
import type { Emit } from '../../shared/events.ts';
import type { Broker } from '../../engine/types.ts';
import { findDeaths } from '../../ledger/crashes.ts';
import type { Db } from '../../ledger/db.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { isFinal } from '../../ledger/moves.ts';
import { recoverSome, walkDispatched, type Dispatched } from '../../ledger/recover.ts';
import { limitsOf, rescue, type Rescued } from '../../ledger/rescue.ts';
import type { Relay } from '../../ledger/relay.ts';
import type { Registry } from '../../queues/registry.ts';
import type { Duty } from './duty.ts';
import { SecondLook } from './second-look.ts';

export interface RescuerOptions {
  db: Db;
  broker: Broker;
  relay: Relay;
  queues: readonly string[];
  registry: Registry;
  emit: Emit;
  onCommitted: (rows: readonly Dispatch[]) => void;
  leaseMs: number;
  everyMs: number;
}

/** Jobs a round; more of them while the engine has lost all it is asked for, but the dead are looked for again meanwhile. */
const lookAt = 500;
const lookAtMost = 5_000;

export function rescuer(options: RescuerOptions): Duty {
  const { db, broker, queues, leaseMs } = options;
  // A deep backlog is looked through page by page, so that nothing hides behind its oldest jobs.
  const walk = walkDispatched(db, { queues, size: lookAt, dueForMs: leaseMs });
  const second = new SecondLook(leaseMs / 3);
  return {
    name: 'rescuer',
    everyMs: options.everyMs,
    judges: true,
    async run() {
      const rescued = await giveBack(options);
      if (!broker.ready) return rescued;
      // An engine that is away is not compared with all that was never given to it.
      if (
        !(await broker.ping().then(
          () => true,
          () => false,
        ))
      )
        return rescued;
      second.prune();
      const spare = (row: Dispatched): boolean => second.spare(row);
      const look = { rows: lookAt, atMost: lookAtMost, ways: ['queued'], spare } as const;
      return rescued + (await recoverSome(options, walk, look));
    },
  };
}

async function giveBack({ db, leaseMs, registry, emit, onCommitted }: RescuerOptions): Promise<number> {
  for (const { workerId, host, pid, openAttempts } of await findDeaths(db, leaseMs))
    emit('notice', {
      level: 'warn',
      message: `a work process died: no sign of life of ${pid} on ${host}; its jobs run elsewhere`,
      facts: { workerId, openAttempts },
    });
  const { rescued, dispatches } = await rescue(db, limitsOf(registry), leaseMs);
  onCommitted(dispatches);
  for (const one of rescued) tell(emit, one);
  return rescued.length;
}

function tell(emit: Emit, { id: jobId, queue, kind, state, outcome, message }: Rescued): void {
  const level = state === 'dead' ? 'error' : state === 'parked' ? 'warn' : 'debug';
  const text = `${kind} ${outcome}: ${message}; it is ${state}`;
  emit('notice', { level, message: text, facts: { jobId, queue, kind, state } });
  if (isFinal(state)) emit('job.finished', { jobId, queue, kind, state });
}
