// Keeps a worker of BullMQ from asking an engine that refuses it as fast as it can. BullMQ waits before it asks again when a
// connection was refused, and hardly or not at all when the server says no (a database that takes no connections, a missing
// right, a server that recovers): such a process would fill half a core for as long as that lasts, and its server with it.
import type { Emit } from '../shared/events.ts';
import type { Link } from './connect.ts';

export interface RestOptions {
  link: Pick<Link, 'ping'>;
  queue: string;
  emit: Emit;
}

/** More than so many errors in so long are a storm. Many deliveries that fail to end at once are none, and a rest does no harm. */
const mostErrors = 25;
const windowMs = 5_000;

const shortestMs = 500;
const longestMs = 4_000;
/** After this long without a storm the next one begins with the short rest again. */
const calmMs = 15_000;

export class Rest {
  readonly #options: RestOptions;
  #errors = 0;
  #since = -Infinity;
  #pauseMs = shortestMs;
  #endedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** Whether one rests now. */
  get now(): boolean {
    return this.#timer !== undefined;
  }

  /** Counts an error; true when there were too many of them. */
  isDue(message: string): boolean {
    const now = performance.now();
    if (now - this.#since > windowMs) [this.#since, this.#errors] = [now, 0];
    this.#errors += 1;
    if (this.now || this.#errors <= mostErrors) return false;
    if (now - this.#endedAt > calmMs) {
      const { queue, emit } = this.#options;
      this.#pauseMs = shortestMs;
      emit('notice', { level: 'warn', message: `the engine gives no job of ${queue}: ${message}` });
    }
    return true;
  }

  /** Calls `done` once the pause is over and the engine answers. */
  begin(done: () => void): void {
    const pauseMs = this.#pauseMs * (0.75 + Math.random() * 0.25);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestMs);
    const timer = setTimeout(() => {
      this.#options.link.ping().then(
        () => this.#finish(timer, done),
        () => this.#again(timer, done),
      );
    }, pauseMs);
    this.#timer = timer;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #finish(timer: NodeJS.Timeout, done: () => void): void {
    if (this.#timer !== timer) return; // ended meanwhile
    this.end();
    this.#endedAt = performance.now();
    this.#since = -Infinity;
    done();
  }

  #again(timer: NodeJS.Timeout, done: () => void): void {
    if (this.#timer === timer) this.begin(done);
  }
}
