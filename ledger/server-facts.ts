// What the PostgreSQL server says about itself, for `storytime doctor`.
import type { Db } from './db.ts';

export interface ServerFacts {
  version: string;
  /** The server's clock minus ours, in ms; half a round trip uncertain. */
  skewMs: number;
  maxConnections: number;
  /** Open now, ours and others'. */
  connections: number;
  /** As the server, the database or the role has it; our own connections raise `off` (pool.ts). */
  synchronousCommit: string;
}

const readFacts = {
  name: 'server_facts',
  text: `SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS max_connections,
      (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
      (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS synchronous_commit`,
};

interface FactsRow {
  version: string;
  now_ms: number;
  max_connections: number;
  connections: number;
  synchronous_commit: string;
}

export async function readServerFacts(db: Db): Promise<ServerFacts> {
  await db.ping(); // so that connecting is not counted as skew
  const before = Date.now();
  const [row] = await db.run<FactsRow>(readFacts, []);
  if (row === undefined) throw new Error('reading the server failed: no row came back; this is a bug');
  return {
    version: row.version,
    skewMs: row.now_ms - (before + Date.now()) / 2,
    maxConnections: row.max_connections,
    connections: row.connections,
    synchronousCommit: row.synchronous_commit,
  };
}
