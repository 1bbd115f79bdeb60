// The gate of a provider: a shared row that says until when it must not be called. Database time.
import type { Db } from './db.ts';

const openRow = {
  name: 'gate_open',
  text: `INSERT INTO gate (provider, open_until, reason, updated_at)
    VALUES ($1, clock_timestamp() + $2 * interval '1 ms', $3, clock_timestamp())
    ON CONFLICT (provider) DO UPDATE SET open_until = excluded.open_until, reason = excluded.reason, updated_at = excluded.updated_at`,
};

const readRow = {
  name: 'gate_read',
  text: `SELECT extract(epoch FROM open_until - clock_timestamp())::float8 * 1000 AS open_ms FROM gate WHERE provider = $1`,
};

/** Shuts a provider for everybody, for `forMs` from now. */
export async function openGate(db: Db, provider: string, forMs: number, reason: string): Promise<void> {
  await db.run(openRow, [provider, forMs, reason]);
}

/** Milliseconds until the provider may be called again, or undefined when it may. */
export async function gateMs(db: Db, provider: string): Promise<number | undefined> {
  const [row] = await db.run<{ open_ms: number }>(readRow, [provider]);
  return row !== undefined && row.open_ms > 0 ? row.open_ms : undefined;
}
