// A TCP proxy in front of a database or an engine, for tests that take the network away. `cut` is a server that is gone,
// `freeze` a cable that is pulled: connections stay open and nothing gets through. It never sleeps on its own.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TestProxy {
  /** The target's address, through the proxy. */
  url: string;
  /** Breaks every connection and refuses new ones until `restore`. */
  cut: () => void;
  /** Holds every byte back until `restore`. */
  freeze: () => void;
  restore: () => void;
  /** Breaks every connection right after the next answer was taken from the server: done, but nobody was told. */
  loseNextAnswer: (when: (request: string) => boolean) => Promise<void>;
  close: () => Promise<void>;
}

type Mode = 'open' | 'cut' | 'frozen';

export async function startProxy(target: string): Promise<TestProxy> {
  const to = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: Mode = 'open';
  let trap: ((request: string) => boolean) | undefined;
  let sprung: (() => void) | undefined;

  const server = createServer((near) => {
    if (mode === 'cut') return void near.destroy();
    const far = connect(Number(to.port), to.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = (): void => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    let trapped = false;
    near.on('data', (data) => {
      trapped ||= trap?.(data.toString('latin1')) ?? false;
      far.write(data);
    });
    far.on('data', (data) => {
      if (!trapped) return void near.write(data);
      trap = undefined;
      end();
      sprung?.();
    });
    for (const socket of pair) socket.on('error', end).on('close', end);
    if (mode === 'frozen') pair.forEach((socket) => socket.pause());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function setMode(next: Mode): void {
    mode = next;
    for (const [near, far] of pairs) {
      if (next === 'cut') near.destroy();
      else for (const socket of [near, far]) socket[next === 'frozen' ? 'pause' : 'resume']();
    }
  }

  return {
    url: url.href,
    cut: () => setMode('cut'),
    freeze: () => setMode('frozen'),
    restore: () => setMode('open'),
    loseNextAnswer(when) {
      trap = when;
      return new Promise((resolve) => (sprung = resolve));
    },
    async close() {
      setMode('cut');
      server.close();
      await once(server, 'close');
    },
  };
}
