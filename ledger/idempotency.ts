// What is known of an Idempotency-Key before its request is judged: a request that was accepted once keeps its answer, however
// much later it is repeated. Taking a key is ledger/enqueue-rows.ts' part.
import type { Db } from './db.ts';

export interface KeyName {
  tenant: string;
  endpoint: string;
  value: string;
}

const readAccepted = {
  name: 'idempotency_accepted',
  text: `SELECT (extract(epoch FROM created_at) * 1000)::float8 AS at FROM idempotency
    WHERE tenant = $1 AND endpoint = $2 AND key = $3 AND expires_at > clock_timestamp()`,
};

/** When a request with this key was accepted, in ms since 1970 of the ledger's clock; undefined when none was. */
export async function acceptedAtMs(
  db: Db,
  { tenant, endpoint, value }: KeyName,
): Promise<number | undefined> {
  const [row] = await db.run<{ at: number }>(readAccepted, [tenant, endpoint, value]);
  return row?.at;
}
