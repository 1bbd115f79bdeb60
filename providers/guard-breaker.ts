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
  /**
   * The provider is known to be back. All is counted anew, and calls that were made before and fail now are no news: of what they say
   * it has recovered.
   */
  renew: () => void;
  /** The shared gate lets calls through; `opening` names since when. Renewed when that is news. */
  follow: (opening: number | undefined) => void;
  /** At least a second: while the one probe is under way nobody knows how long it will take. */
  closedForMs: () => number;
  shutdown: () => void;
}

/** Where the breaker is switched off. */
export const noBreaker: Breaker = {
  open: false,
  shutDown: false,
  fire: (task) => task(),
  renew: () => undefined,
  follow: () => undefined,
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

type Circuit = CircuitBreaker<[Task]>;

function circuitOf(
  { resetMs, windowMs }: BreakerOptions,
  on: { open: () => void; tell: BreakerOptions['tell'] },
): Circuit {
  const circuit: Circuit = new CircuitBreaker((task: Task) => task(), {
    // opossum's own timeout leaves the call running (and billed); its capacity counts a full house as an outage.
    timeout: false,
    resetTimeout: resetMs,
    rollingCountTimeout: windowMs,
    rollingCountBuckets: 10,
    volumeThreshold: enough,
    errorThresholdPercentage: 50,
    enableSnapshots: false,
    // True counts as a success and closes a half-open breaker, so what is filtered depends on the state.
    errorFilter: (error: Failure) => (circuit.halfOpen ? answered.has(error.code) : !outage.has(error.code)),
  });
  watchRow(circuit);
  circuit.on('open', on.open);
  circuit.on('halfOpen', () => on.tell('half_open'));
  circuit.on('close', () => on.tell('closed'));
  return circuit;
}

export function createBreaker(options: BreakerOptions): Breaker {
  let openedAt = 0;
  let known: number | undefined;
  const { tell } = options;
  const open = (): void => {
    openedAt = options.now();
    options.onOpen();
    tell('open');
  };
  let circuit = circuitOf(options, { open, tell });

  function renew(): void {
    if (circuit.isShutdown) return;
    const old = circuit;
    circuit = circuitOf(options, { open, tell });
    if (!old.closed) tell('closed');
    old.shutdown(); // nobody hears of its calls any more; they end as they do
  }

  return {
    get open() {
      return circuit.opened;
    },
    get shutDown() {
      return circuit.isShutdown;
    },
    fire: async <T>(task: () => Promise<T>) => (await circuit.fire(task)) as T,
    renew,
    follow(opening) {
      const isNews = !circuit.closed || (opening !== undefined && opening !== known);
      known = opening ?? known;
      if (isNews) renew();
    },
    closedForMs: () => Math.max(1_000, openedAt + options.resetMs - options.now()),
    shutdown: () => circuit.shutdown(),
  };
}
