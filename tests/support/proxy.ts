// A TCP proxy in front of PostgreSQL, Redis, SMTP or HTTP, for tests that spoil the network. Each fault can be put on one
// direction: `up` to the server, `down` to the client. It has no fault of its own: bytes keep their order, and nothing is
// held back that no fault holds.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

export type Direction = 'up' | 'down';

/**
 * `hold`: a cable that is pulled; bytes wait and go on later. `blackhole`: a peer that is gone without a word; bytes vanish,
 * and connections that lost some are reset when the fault ends. `cutAfter`: each connection breaks when it has carried so many bytes
 * this way, the last one included; new connections get the same until the fault ends.
 */
export type Fault =
  | { how: 'pass' }
  | { how: 'hold' }
  | { how: 'blackhole' }
  | { how: 'delay'; ms: number }
  | { how: 'throttle'; bytesPerSecond: number }
  | { how: 'cutAfter'; bytes: number };

export interface TestProxy {
  /** The target's address, through the proxy. */
  url: string;
  /** Puts a fault on one direction, or on both, of all connections of now and later. */
  spoil: (fault: Fault, direction?: Direction) => void;
  /** Breaks every connection and refuses new ones until `restore`. */
  cut: () => void;
  /** Breaks every connection of now with RST. */
  reset: () => void;
  /** `spoil({ how: 'hold' })`. */
  freeze: () => void;
  /** No fault any more. */
  restore: () => void;
  /** Breaks every connection right after the next answer was taken from the server: done, but nobody was told. */
  loseNextAnswer: (when: (request: string) => boolean) => Promise<void>;
  /** The same for each request that `when` picks, its connection alone, until `restore`; returns the count so far. */
  loseAnswers: (when: (request: string) => boolean) => () => number;
  /** Connections of now. */
  connections: () => number;
  /** Connections that the client still holds, and on which an answer has vanished or drips. */
  starved: () => number;
  /** Bytes that black holes have taken so far. */
  swallowed: () => number;
  close: () => Promise<void>;
}

interface Rules {
  refuse: boolean;
  faults: Record<Direction, Fault>;
  /** Whether the answer to this request gets lost. */
  loses: (request: string) => boolean;
  lost: (pair: Pair) => void;
  swallowed: number;
}

interface Pair {
  end: () => void;
  reset: () => void;
  pumps: Record<Direction, Pump>;
  /** Bytes have vanished: this connection is of no use any more. */
  broken: boolean;
  /** An answer has vanished or comes a little at a time. */
  owed: boolean;
  /** The client has closed its side. */
  left: boolean;
  /** The next answer gets lost. */
  trapped: boolean;
}

interface Pump {
  /** Told that the fault of its direction has changed. */
  changed: () => void;
}

const passAll = { up: { how: 'pass' }, down: { how: 'pass' } } as const;

/** `host`: the address of this machine that it listens on. */
export async function startProxy(target: string, host = '127.0.0.1'): Promise<TestProxy> {
  const to = new URL(target);
  const pairs = new Set<Pair>();
  const rules: Rules = {
    refuse: false,
    faults: passAll,
    loses: never,
    lost: (pair) => pair.end(),
    swallowed: 0,
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (rules.refuse) return void near.destroy();
    const far = connect({ port: Number(to.port), host: to.hostname, allowHalfOpen: true });
    const pair = join(near, far, rules, () => void pairs.delete(pair));
    pairs.add(pair);
  });
  server.listen(0, host);
  await once(server, 'listening');

  function apply(change: Partial<Rules>): void {
    Object.assign(rules, change);
    for (const pair of pairs) for (const one of Object.values(pair.pumps)) one.changed();
  }
  const endAll = (): void => pairs.forEach((pair) => pair.end());
  const spoil: TestProxy['spoil'] = (fault, direction) =>
    apply({
      faults: direction === undefined ? { up: fault, down: fault } : { ...rules.faults, [direction]: fault },
    });

  return {
    url: addressOf(target, server.address() as AddressInfo),
    spoil,
    cut() {
      rules.refuse = true;
      endAll();
    },
    reset: () => pairs.forEach((pair) => pair.reset()),
    freeze: () => spoil({ how: 'hold' }),
    restore() {
      for (const pair of pairs) if (pair.broken) pair.reset();
      apply({ refuse: false, faults: passAll, loses: never, lost: (pair) => pair.end() });
    },
    loseNextAnswer: (when) =>
      new Promise((resolve) => {
        apply({
          loses: when,
          lost(pair) {
            apply({ loses: never });
            pair.end();
            resolve();
          },
        });
      }),
    loseAnswers(when) {
      let count = 0;
      const lost = (pair: Pair): void => {
        count += 1;
        pair.end();
      };
      apply({ loses: when, lost });
      return () => count;
    },
    connections: () => pairs.size,
    starved: () => [...pairs].filter(({ owed, left }) => owed && !left).length,
    swallowed: () => rules.swallowed,
    async close() {
      rules.refuse = true;
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}

function never(): boolean {
  return false;
}

function addressOf(target: string, { address, port }: AddressInfo): string {
  const url = new URL(target);
  url.host = `${address}:${port}`;
  return url.href;
}

function join(near: Socket, far: Socket, rules: Rules, gone: () => void): Pair {
  const pair: Pair = {
    broken: false,
    owed: false,
    left: false,
    trapped: false,
    end() {
      near.destroy();
      far.destroy();
      gone();
    },
    reset() {
      near.resetAndDestroy();
      far.resetAndDestroy();
      gone();
    },
    pumps: {
      up: pump(near, far, { rules, direction: 'up', pair: () => pair }),
      down: pump(far, near, { rules, direction: 'down', pair: () => pair }),
    },
  };
  near.on('data', (data) => {
    if (!pair.trapped && rules.loses(data.toString('latin1'))) pair.trapped = true;
  });
  near.on('end', () => void (pair.left = true));
  for (const socket of [near, far])
    socket.on('error', pair.end).on('close', () => (near.closed && far.closed ? gone() : undefined));
  return pair;
}

interface Way {
  rules: Rules;
  direction: Direction;
  pair: () => Pair;
}

/** Carries one direction of one connection, chunk after chunk, each as the fault of the moment wants it. */
function pump(from: Socket, to: Socket, { rules, direction, pair }: Way): Pump {
  let queue = Promise.resolve();
  let carried = 0;

  async function carry(data: Buffer): Promise<void> {
    const fault = rules.faults[direction];
    if (fault.how === 'delay') await after(fault.ms);
    if (fault.how === 'throttle') return drip(data, fault.bytesPerSecond);
    if (fault.how === 'blackhole') {
      rules.swallowed += data.length;
      pair().broken = true;
      pair().owed ||= direction === 'down';
      return;
    }
    const rest = fault.how === 'cutAfter' ? Math.max(0, fault.bytes - carried) : data.length;
    carried += data.length;
    to.write(data.subarray(0, rest));
    if (rest < data.length) pair().end();
  }

  /** A little ten times a second, so that an answer begins and goes on; what is left when the fault ends goes at once. */
  async function drip(data: Buffer, bytesPerSecond: number): Promise<void> {
    const size = Math.ceil(bytesPerSecond / 10);
    pair().owed = direction === 'down';
    let sent = 0;
    while (sent < data.length && rules.faults[direction].how === 'throttle' && !to.destroyed) {
      await after(100);
      to.write(data.subarray(sent, sent + size));
      sent += size;
    }
    if (sent < data.length) to.write(data.subarray(sent));
    pair().owed = false;
  }

  function hold(): void {
    if (rules.faults[direction].how === 'hold') from.pause();
    else from.resume();
  }

  from.on('data', (data: Buffer) => {
    if (direction === 'down' && pair().trapped) return rules.lost(pair());
    queue = queue.then(() => carry(data));
  });
  // The end of one side reaches the other behind its last byte, and not at all through a black hole.
  from.on('end', () => {
    queue = queue.then(() => (rules.faults[direction].how === 'blackhole' ? undefined : void to.end()));
  });
  hold();
  return { changed: hold };
}
