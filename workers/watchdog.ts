// Watches for progress, whatever BullMQ says of itself: a Worker can be running, connected and deaf. When jobs are due and in
// the engine, slots are free and nothing comes for two of BullMQ's waits, the Worker is thrown away and made anew; when that
// does not help either, this process gives up and leaves its place to a new one.
import { toError } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { engineId, type Broker, type Consumer } from '../engine/types.ts';
import type { Db } from '../ledger/db.ts';
import { walkDispatched } from '../ledger/recover.ts';

export interface WatchdogOptions {
  db: Db;
  broker: Pick<Broker, 'held' | 'ping'>;
  consumers: readonly Consumer[];
  emit: Emit;
  /** Nothing came for this long although something should have: two of BullMQ's waits, in ms. */
  quietMs: number;
  /** What is given to the engine and due for longer than this should have come, in ms: longer than the rescuer waits. */
  overdueMs: number;
  /** Ends this process. */
  giveUp: (reason: string) => void;
}

/** Of a queue's overdue jobs, how many are looked up in the engine. */
const sample = 20;

/** Returns the way to stop. */
export function watchDeliveries(options: WatchdogOptions): () => void {
  const act = createRemedy(options);
  let awayAt = -Infinity;
  let looking = false;

  async function look(): Promise<void> {
    const suspects = options.consumers.filter(
      ({ freeSlots, quietMs }) => freeSlots > 0 && quietMs > options.quietMs,
    );
    try {
      for (const consumer of suspects) {
        const waiting = await overdue(options, consumer.queue);
        // Right after an outage BullMQ's connections may still be on their way back.
        if (waiting > 0 && performance.now() - awayAt > options.quietMs) act(consumer, waiting);
      }
    } catch (thrown) {
      awayAt = performance.now();
      const message = `the watchdog could not look: ${toError(thrown).message}`;
      options.emit('notice', { level: 'debug', message });
    }
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => (looking = false));
  }, options.quietMs / 2);
  return () => clearInterval(timer);
}

/** A new worker first; when nothing has come from that one either, the end of this process. */
function createRemedy({ emit, giveUp }: WatchdogOptions): (consumer: Consumer, waiting: number) => void {
  const rebuiltAt = new Map<Consumer, number>();
  return (consumer, waiting) => {
    const { queue, quietMs } = consumer;
    const movedAt = performance.now() - quietMs;
    if (movedAt <= (rebuiltAt.get(consumer) ?? -Infinity)) {
      const seconds = Math.round(quietMs / 1_000);
      giveUp(`no job of ${queue} came for ${seconds} s from a new worker either, though jobs are due`);
      return;
    }
    consumer.rebuild();
    rebuiltAt.set(consumer, performance.now());
    emit('worker.rebuilt', { queue, waiting, quietMs: Math.round(quietMs) });
  };
}

/** How many overdue jobs of the queue wait in the engine; what the engine has lost is the rescuer's to bring back. */
async function overdue({ db, broker, overdueMs }: WatchdogOptions, queue: string): Promise<number> {
  // While the engine is away the ledger may hold a million jobs that were never given to it, and would read them all to find one
  // that was.
  await broker.ping();
  const look = { queues: [queue], size: sample, dueForMs: overdueMs, only: true } as const;
  const rows = await walkDispatched(db, look).next();
  if (rows.length === 0) return 0;
  const held = await broker.held(
    queue,
    rows.map(({ id, generation }) => engineId({ jobId: id, generation })),
  );
  return [...held.values()].filter((how) => how === 'queued').length;
}
