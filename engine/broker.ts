// The way into the engine: add, look, remove. Starts and answers while the engine is absent; `add` is the relay's alone.
import type { JobsOptions, Queue } from 'bullmq';
import { quarantineQueue } from '../queues/quarantine.ts';
import type { Engine, Link } from './connect.ts';
import { readEpoch, writeEpoch } from './epoch.ts';
import { held } from './held.ts';
import { openPressure } from './pressure.ts';
import { Queues } from './queues.ts';
import { engineId, type Broker, type EngineJob } from './types.ts';

interface Open {
  link: Link;
  queues: Queues;
}

const dayS = 86_400;

/** The engine keeps little, because the ledger keeps the history: completed a day and 1,000, failed a week and 5,000. */
export const retention = {
  removeOnComplete: { age: dayS, count: 1_000 },
  removeOnFail: { age: 7 * dayS, count: 5_000 },
};

/** `queueNames`: those of the registry; the quarantine lane comes on top, and no board shows it. */
export function createBroker(engine: Engine, queueNames: readonly string[]): Broker {
  const { opening, linked, known, use, listeners } = openEntry(engine, [...queueNames, quarantineQueue]);
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
    boardQueues: async () => (await opening).queues.sound(queueNames),
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
    close: async () => linked()?.queues.close(),
  };
}

interface Entry {
  opening: Promise<Open>;
  linked: () => Open | undefined;
  /** The same, or an error that says why there is none yet. */
  known: () => Open;
  use: (name: string) => { link: Link; queue: Queue };
  /** Those who want to know when the engine is there, until it is. */
  listeners: (() => void)[];
}

function openEntry(engine: Engine, names: readonly string[]): Entry {
  let open: Open | undefined;
  const listeners: (() => void)[] = [];
  const opening = engine.ready.then((link) => {
    open = { link, queues: new Queues(link, names) };
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
      return { link, queue: queues.use(name) };
    },
    listeners,
  };
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
