// The quarantine lane: jobs that were in a process that died twice run here one at a time, in a process of their own, so the
// guilty one can kill nobody else. One lane for all work processes: its process holds a leader row. What its death means is
// in ledger/rescue.ts.
import type { Db } from '../ledger/db.ts';
import type { Dispatch } from '../ledger/insert.ts';
import { freeParked, laneDuty, laneHasWork, laneWantsProcess } from '../ledger/lane.ts';
import { leaveLead, takeLead } from '../ledger/leader.ts';
import { quarantineQueue } from '../queues/quarantine.ts';
import type { WorkerDefinition } from './define.ts';
import type { Duty } from './maintenance/duty.ts';

/** The lane's process, as a work process sees it. */
export interface Lane {
  /**
   * Told each round. `wanted`: the lane has work and no process that shows a sign of life; starts one, unless one is just
   * starting, and ends one that has been silent for too long.
   */
  ensure: (wanted: boolean) => void;
  stop: () => Promise<void>;
}

export interface QuarantineOptions {
  db: Db;
  everyMs: number;
  lane: Lane;
  /** Whether this process could run jobs itself: the lane's, which it starts, is on the same machine. */
  fit: () => Promise<boolean>;
  onCommitted: (rows: readonly Dispatch[]) => void;
}

/** Lets parked jobs in as far as there is room, and sees to it that the lane is served. */
export function quarantine({ db, everyMs, lane, fit, onCommitted }: QuarantineOptions): Duty {
  return {
    name: 'quarantine',
    everyMs,
    judges: true,
    async run() {
      const freed = await freeParked(db);
      onCommitted(freed);
      lane.ensure((await laneWantsProcess(db)) && (await fit()));
      return freed.length;
    },
  };
}

/** One queue with the handlers of all: concurrency 1, whatever the scale of the process. */
export function laneDefinition(workers: readonly WorkerDefinition[]): WorkerDefinition {
  const handlers = Object.assign(
    {},
    ...workers.map((worker) => worker.handlers),
  ) as WorkerDefinition['handlers'];
  const retry = { attempts: 1, backoff: 'fixed', delayMs: 0 } as const;
  const queue = { name: quarantineQueue, concurrency: 1, timeoutMs: 0, retry, jobs: {} };
  return { queue, handlers, typed: undefined };
}

export interface LaneHold {
  db: Db;
  /** The worker id of the lane's process. */
  holder: string;
  /** How long the lane is held for, in ms; renewed at a third of that. */
  leadMs: number;
  /** Ends the process when the lane has been empty for so long, in ms. */
  idleMs: number;
  end: (reason: string) => void;
}

/** Takes the lane for this process; undefined when another one has it. The answer lets it go again. */
export async function holdLane(hold: LaneHold): Promise<(() => Promise<void>) | undefined> {
  const { db, holder, leadMs, idleMs, end } = hold;
  const take = (): Promise<boolean> => takeLead(db, laneDuty, holder, leadMs);
  if (!(await take())) return undefined;
  let busyAt = performance.now();

  async function tick(): Promise<void> {
    if (!(await take())) return end('another process has the quarantine lane');
    if (await laneHasWork(db)) busyAt = performance.now();
    else if (performance.now() - busyAt > idleMs) end('the quarantine lane is empty');
  }

  // With the ledger away nobody else can take it either.
  const timer = setInterval(() => void tick().catch(() => undefined), leadMs / 3);
  return async () => {
    clearInterval(timer);
    await leaveLead(db, laneDuty, holder).catch(() => undefined);
  };
}
