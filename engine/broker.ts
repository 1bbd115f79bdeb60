// The way into the engine: add, look, remove. Starts and answers while the engine is absent; `add` is the relay's alone.
import type { JobsOptions, Queue } from 'bullmq';
import type { Engine, Link } from './connect.ts';
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

/** States in which BullMQ has not delivered a job yet. */
const queuedStates = new Set(['waiting', 'delayed', 'prioritized']);

export function createBroker(engine: Engine, queueNames: readonly string[]): Broker {
  let open: Open | undefined;
  const opening = engine.ready.then((link) => {
    const queues = new Map(queueNames.map((name) => [name, link.queue(name)]));
    for (const queue of queues.values()) queue.on('error', () => undefined); // told by the call that failed
    open = { link, queues };
    return open;
  });
  opening.catch(() => undefined);

  function use(name: string): Queue {
    const queue = open?.queues.get(name);
    if (queue === undefined)
      throw new Error(
        `engine failed: ${open === undefined ? 'it is not connected yet' : `no queue ${name}`}`,
      );
    return queue;
  }

  return {
    kind: engine.kind,
    get ready() {
      return open !== undefined;
    },
    async add(name, jobs) {
      await use(name).addBulk(jobs.map((job) => ({ name: job.kind, data: job.data, opts: jobOptions(job) })));
    },
    queued: async (name, ids) => queuedIds(use(name), ids),
    async remove(name, id) {
      await use(name).remove(id);
    },
    boardQueues: async () => [...(await opening).queues.values()],
    async ping() {
      if (open === undefined) throw new Error('engine failed: it is not connected yet');
      await open.link.ping();
    },
    close: () => closeQueues(open),
  };
}

/** Closing a queue whose server is away can hang; the link, closed next, ends it all the same. */
async function closeQueues(open: Open | undefined): Promise<void> {
  if (open === undefined) return;
  const closing = [...open.queues.values()].map((queue) => queue.close());
  await Promise.race([Promise.allSettled(closing), after(1_000)]);
}

function jobOptions(job: EngineJob): JobsOptions {
  return { jobId: engineId(job.data), priority: job.priority, delay: Math.ceil(job.delayMs), attempts: 1 };
}

async function queuedIds(queue: Queue, ids: readonly string[]): Promise<Set<string>> {
  const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
  return new Set(ids.filter((_, index) => queuedStates.has(states[index] ?? 'unknown')));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
