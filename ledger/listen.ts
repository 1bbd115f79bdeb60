// LISTEN on one connection of its own: told when another process or another program's transaction has enqueued.
// A lost connection is made again; the sweep finds meanwhile what no notice told of.
import type pg from 'pg';
import type { Db } from './db.ts';

export const enqueuedChannel = 'storytime_enqueued';

/** Calls `onNotice` after each notice and after each reconnect. Returns the way to stop. */
export function listen(db: Db, onNotice: () => void): () => Promise<void> {
  let stopped = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function open(): Promise<void> {
    try {
      client = await db.connect();
      client.on('error', again); // first of all: a client without this listener ends the process when its backend dies
      if (stopped) return await client.end();
      client.on('end', again);
      client.on('notification', onNotice);
      await client.query(`LISTEN ${enqueuedChannel}`);
      onNotice();
    } catch {
      again();
    }
  }

  function again(): void {
    if (stopped || timer !== undefined) return;
    client?.removeAllListeners('end');
    client?.end().catch(() => undefined);
    // Not at the same moment as every other process that lost its connection with this one.
    const pauseMs = 500 + Math.random() * 1_000;
    timer = setTimeout(() => {
      timer = undefined;
      void open();
    }, pauseMs);
  }

  void open();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    client?.removeAllListeners('end');
    await client?.end().catch(() => undefined);
  };
}
