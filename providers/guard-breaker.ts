// The breaker of one gate in one process: counts outages and says when it has seen enough. Where processes share a
// gate, the gate decides when calls are welcome again, and the breaker only counts.
import CircuitBreaker from 'opossum';
import { Failure } from '../shared/errors.ts';
import { answered, outage } from './guard-gate.ts';

type Task = () => Promise<unknown>;

export interface BreakerOptions {
  /** How long it stays open before it lets one call through by itself, in ms. */
  resetMs: number;
  /** Must hold several of the longest calls with their retries, or failures leave the window before they are counted. */
  windowMs: number;
  now: () => number;
  tell: (state: 'closed' | 'open' | 'half_open') => void;
  /** Called at the moment it opens. */
  onOpen: () => void;
}

export interface Breaker {
  readonly open: boolean;
  readonly shutDown: boolean;
  /** Throws what the task throws, or something that is no Failure when it refuses to run it. */
  fire: <T>(task: () => Promise<T>) => Promise<T>;
  /** The provider is known to be back. */
  close: () => void;
  /** At least a second: while the one probe is under way nobody knows how long it will take. */
  closedForMs: () => number;
  shutdown: () => void;
}

/** Where the breaker is switched off. */
export const noBreaker: Breaker = {
  open: false,
  shutDown: false,
  fire: (task) => task(),
  close: () => undefined,
  closedForMs: () => 0,
  shutdown: () => undefined,
};

/** So much bad luck in a row opens it, however many calls went well before: a busy window hides a sudden end. */
const enough = 4;

/** A call that failed in all its quick tries says more than one that was lost: two of the first are enough. */
function weightOf(failure: Failure): number {
  return failure.code === 'unavailable' ? 2 : 1;
}

function watchRow(breaker: CircuitBreaker<[Task]>): void {
  let row = 0;
  breaker.on('failure', (error) => {
    row += weightOf(error as unknown as Failure);
    if (row >= enough) breaker.open();
  });
  // opossum calls a filtered error a success; a rate limit or a stop proves nothing about the provider.
  breaker.on('success', (result) => {
    if (!(result instanceof Failure) || answered.has(result.code)) row = 0;
  });
  breaker.on('close', () => {
    row = 0;
  });
}

export function createBreaker(options: BreakerOptions): Breaker {
  let openedAt = 0;
  const breaker: CircuitBreaker<[Task]> = new CircuitBreaker((task: Task) => task(), {
    // opossum's own timeout leaves the call running (and billed); its capacity counts a full house as an outage.
    timeout: false,
    resetTimeout: options.resetMs,
    rollingCountTimeout: options.windowMs,
    rollingCountBuckets: 10,
    volumeThreshold: enough,
    errorThresholdPercentage: 50,
    enableSnapshots: false,
    // True counts as a success and closes a half-open breaker, so what is filtered depends on the state.
    errorFilter: (error: Failure) => (breaker.halfOpen ? answered.has(error.code) : !outage.has(error.code)),
  });
  watchRow(breaker);
  breaker.on('open', () => {
    openedAt = options.now();
    options.onOpen();
    options.tell('open');
  });
  breaker.on('halfOpen', () => options.tell('half_open'));
  breaker.on('close', () => options.tell('closed'));
  return {
    get open() {
      return breaker.opened;
    },
    get shutDown() {
      return breaker.isShutdown;
    },
    fire: async <T>(task: () => Promise<T>) => (await breaker.fire(task)) as T,
    close: () => {
      if (!breaker.closed && !breaker.isShutdown) breaker.close();
    },
    closedForMs: () => Math.max(1_000, openedAt + options.resetMs - options.now()),
    shutdown: () => breaker.shutdown(),
  };
}
