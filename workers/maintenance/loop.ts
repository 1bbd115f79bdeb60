// Runs the duties while this process has the lead. A duty that fails is reported and tried again at its next round.
import { toError } from '../../shared/errors.ts';
import type { Emit } from '../../shared/events.ts';
import type { Db } from '../../ledger/db.ts';
import { leaveLead, takeLead } from '../../ledger/leader.ts';
import type { Duty } from './duty.ts';

export interface MaintenanceOptions {
  db: Db;
  workerId: string;
  duties: readonly Duty[];
  /** Queues this build knows. Builds that know others lead side by side, because each looks after its own alone. */
  queues: readonly string[];
  /** How long the lead is taken for, in ms; it is renewed at a third of that. */
  leadMs: number;
  /** How long silence proves nothing after the ledger was away, in ms: everybody who lives has shown it by then. */
  calmMs: number;
  /** It was away until now. */
  afterOutage?: boolean;
  /** Whether this process could run jobs itself: much of what a leader does for others goes through the engine. */
  fit: () => Promise<boolean>;
  emit: Emit;
}

export interface Maintenance {
  /** Runs a duty of this name soon, leader or not: somebody knows that there is something to do. */
  hint: (name: string) => void;
  stop: () => Promise<void>;
}

export function startMaintenance(options: MaintenanceOptions): Maintenance {
  const { db, workerId, duties } = options;
  const lead = `maintenance of ${options.queues.toSorted((a, b) => a.localeCompare(b)).join(', ')}`;
  const timers: NodeJS.Timeout[] = [];
  const rounds = createRounds(options.emit);
  const turns = createTurns(options, lead);
  const mayBegin = (duty: Duty): boolean => duty.judges !== true || !turns.calm();

  function beginWhenLeading(duty: Duty): void {
    if (turns.leading() && mayBegin(duty)) rounds.begin(duty);
  }

  void turns.take().then(() => duties.forEach(beginWhenLeading));
  timers.push(setInterval(() => void turns.take(), options.leadMs / 3));
  for (const duty of duties) timers.push(setInterval(beginWhenLeading, duty.everyMs, duty));
  return {
    hint(name) {
      const duty = duties.find((one) => one.name === name);
      if (duty !== undefined && mayBegin(duty)) rounds.hint(duty);
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      turns.end();
      await rounds.stop();
      if (turns.leading()) await leaveLead(db, lead, workerId).catch(() => undefined);
    },
  };
}

interface Turns {
  /** Takes the lead or keeps it, if nobody else has it. */
  take: () => Promise<void>;
  leading: () => boolean;
  /** Right after an outage all leases have run out, and those who live hold answers that they could not store: they go first. */
  calm: () => boolean;
  /** The lead is not taken any more. */
  end: () => void;
}

/**
 * One that is not fit leaves the lead at every second turn, so that one that is can take it and keep it. Where nobody is, as with
 * an engine that is away for all, they lead in turns.
 */
function createTurns(options: MaintenanceOptions, lead: string): Turns {
  const { db, workerId, leadMs, calmMs, afterOutage = false, fit } = options;
  let leading = false;
  let away = afterOutage;
  let calmUntil = 0;
  let ended = false;
  return {
    async take() {
      try {
        const yields = leading && !(await fit());
        if (ended) return;
        if (yields) {
          leading = false;
          await leaveLead(db, lead, workerId);
        } else leading = await takeLead(db, lead, workerId, leadMs);
        if (away) calmUntil = performance.now() + calmMs;
        away = false;
      } catch {
        // With the ledger away nobody leads; whoever reaches it first does.
        leading = false;
        away = true;
      }
    },
    leading: () => leading,
    calm: () => performance.now() < calmUntil,
    end: () => void (ended = true),
  };
}

interface Rounds {
  /** Begins a round unless one of this duty is under way. */
  begin: (duty: Duty) => void;
  /** The same, and once more after the round under way: it may have looked too early. */
  hint: (duty: Duty) => void;
  /** Begins no more; resolves when none is under way. */
  stop: () => Promise<void>;
}

function createRounds(emit: Emit): Rounds {
  const busy = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let stopped = false;

  function begin(duty: Duty): void {
    if (stopped || busy.has(duty.name)) return;
    const done = round(emit, duty).finally(() => {
      busy.delete(duty.name);
      if (again.delete(duty.name)) begin(duty);
    });
    busy.set(duty.name, done);
  }

  return {
    begin,
    hint(duty) {
      if (busy.has(duty.name)) again.add(duty.name);
      else begin(duty);
    },
    async stop() {
      stopped = true;
      await Promise.all(busy.values());
    },
  };
}

async function round(emit: Emit, duty: Duty): Promise<void> {
  const start = performance.now();
  try {
    const count = await duty.run();
    emit('maintenance.done', { duty: duty.name, count, durationMs: Math.round(performance.now() - start) });
  } catch (thrown) {
    emit('maintenance.failed', { duty: duty.name, message: toError(thrown).message });
  }
}
