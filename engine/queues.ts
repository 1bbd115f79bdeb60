// BullMQ's Queues over one link. A Queue asks its server once, when it is made, and remembers a refusal for ever: such a one is
// thrown away, and the next use makes another. For engine/broker.ts alone.
import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Link } from './connect.ts';

const pauseMs = 500;

export class Queues {
  readonly #link: Pick<Link, 'queue'>;
  readonly #names: readonly string[];
  readonly #queues = new Map<string, Queue>();
  #closed = false;

  constructor(link: Pick<Link, 'queue'>, names: readonly string[]) {
    this.#link = link;
    this.#names = names;
    for (const name of names) this.#make(name);
  }

  /** The queue of now: for this use only. Throws for a name that is none of ours. */
  use(name: string): Queue {
    if (!this.#names.includes(name)) throw new Error(`engine failed: no queue ${name}`);
    return this.#queues.get(name) ?? this.#make(name);
  }

  /** Queues that may be kept: their first look has succeeded. Waits until it has; rejects when closed before. */
  async sound(names: readonly string[]): Promise<Queue[]> {
    return Promise.all(names.map((name) => this.#untilSound(name)));
  }

  /** Closing one whose server is away can hang; the link, closed next, ends it all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#queues.values()].map((queue) => queue.close());
    await Promise.race([Promise.allSettled(closing), delay(1_000, undefined, { ref: false })]);
  }

  #make(name: string): Queue {
    const queue = this.#link.queue(name);
    queue.on('error', () => undefined); // told by the call that failed
    this.#queues.set(name, queue);
    queue.waitUntilReady().catch(() => {
      if (this.#closed || this.#queues.get(name) !== queue) return;
      this.#queues.delete(name);
      queue.close().catch(() => undefined);
    });
    return queue;
  }

  async #untilSound(name: string): Promise<Queue> {
    for (;;) {
      if (this.#closed) throw new Error('engine failed: it is closed');
      const queue = this.use(name);
      const ready = queue.waitUntilReady();
      if (await ready.then(() => true).catch(() => false)) return queue;
      await delay(pauseMs);
    }
  }
}
