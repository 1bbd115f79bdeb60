// The way into the engine: add, look, remove. Starts and answers while the engine is absent; `add` is the relay's alone.
import type { JobsOptions, Queue } from 'bullmq';
import { quarantineQueue } from '../queues/quarantine.ts';
import type { Engine, Link } from './connect.ts';
import { readEpoch, writeEpoch } from './epoch.ts';
import { held } from './held.ts';
import { openPressure } from './pressure.ts';
import { engineId, type Broker, type EngineJob } from './types.ts';

interface Open {
  link: Link;
  queues: ReadonlyMap<string, Queue>;
}

const dayS = 86_400;

/** The engine keeps little, because the ledger keeps the history: completed a day and 1,000, failed a week and 5,000. */
export const retention = {
  removeOnComplete: { age: dayS, count: 1_000 },
  removeOnFail: { age: 7 * dayS, count: 5_000 },
};

/** `queueNames`: those of the registry; the quarantine lane comes on top, and no board shows it. */
export function createBroker(engine: Engine, queueNames: readonly string[]): Broker {
  const { opening, linked, known, use, listeners } = openQueues(engine, [...queueNames, quarantineQueue]);
  const pressure = openPressure();
  return {
    kind: engine.kind,
    get ready() {
      return linked() !== undefined;
    },
    async add(name, jobs) {
      const queue = use(name).queue;
      await queue.addBulk(jobs.map((job) => ({ name: job.kind, data: job.data, opts: jobOptions(job) })));
    },
    held: async (name, ids) => held(use(name).link.store, name, ids),
    async remove(name, id) {
      await use(name).queue.remove(id);
    },
    boardQueues: async () => shown((await opening).queues),
    get pressure() {
      return pressure.now();
    },
    onPressure: pressure.onChange,
    async ping() {
      const { link } = known();
      // Looked at even when the ping is refused: a full Redis refuses it, and its memory says why.
      await Promise.all([link.ping(), pressure.look(link.store).catch(() => undefined)]);
    },
    readEpoch: async () => readEpoch(known().link.store),
    writeEpoch: async (epoch) => writeEpoch(known().link.store, epoch),
    onReturn(listener) {
      const open = linked();
      if (open === undefined) listeners.push(listener);
      else onReturn(open, listener);
    },
    close: () => closeQueues(linked()),
  };
}

interface Queues {
  opening: Promise<Open>;
  linked: () => Open | undefined;
  /** The same, or an error that says why there is none yet. */
  known: () => Open;
  use: (name: string) => { link: Link; queue: Queue };
  /** Those who want to know when the engine is there, until it is. */
  listeners: (() => void)[];
}

function openQueues(engine: Engine, names: readonly string[]): Queues {
  let open: Open | undefined;
  const listeners: (() => void)[] = [];
  const opening = engine.ready.then((link) => {
    const queues = new Map(names.map((name) => [name, link.queue(name)]));
    for (const queue of queues.values()) queue.on('error', () => undefined); // told by the call that failed
    open = { link, queues };
    for (const listener of listeners) onReturn(open, listener);
    return open;
  });
  opening.catch(() => undefined);

  function known(): Open {
    if (open !== undefined) return open;
    throw new Error(`engine failed: ${engine.problem() ?? 'it is not connected yet'}`);
  }

  return {
    opening,
    linked: () => open,
    known,
    use(name) {
      const { link, queues } = known();
      const queue = queues.get(name);
      if (queue === undefined) throw new Error(`engine failed: no queue ${name}`);
      return { link, queue };
    },
    listeners,
  };
}

function shown(queues: ReadonlyMap<string, Queue>): Queue[] {
  return [...queues].flatMap(([name, queue]) => (name === quarantineQueue ? [] : [queue]));
}

/** Closing a queue whose server is away can hang; the link, closed next, ends it all the same. */
async function closeQueues(open: Open | undefined): Promise<void> {
  if (open === undefined) return;
  const closing = [...open.queues.values()].map((queue) => queue.close());
  await Promise.race([Promise.allSettled(closing), after(1_000)]);
}

function jobOptions(job: EngineJob): JobsOptions {
  const { data, priority, delayMs, countedAtMs } = job;
  // BullMQ adds the delay to this time: a producer's wrong clock would hold the job back by as much as it is ahead.
  const timestamp = countedAtMs === undefined ? {} : { timestamp: Math.round(countedAtMs) };
  return { jobId: engineId(data), priority, delay: Math.ceil(delayMs), attempts: 1, ...timestamp };
}

function onReturn({ link }: Open, listener: () => void): void {
  link.onReturn(listener);
  listener();
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
