// Logins to the dashboard: a random token in a cookie, its SHA-256 in the ledger. A session has the rights of the key it was
// opened with and ends with it: revoking the key closes its sessions at their next request.
import { randomBytes } from 'node:crypto';
import { sha256 } from '../shared/text.ts';
import type { Db } from './db.ts';
import type { Caller } from './keys.ts';

const sessionHours = 12;

const insertSession = {
  name: 'session_insert',
  text: `INSERT INTO session (hash, api_key_id, expires_at) VALUES ($1, $2, now() + interval '${sessionHours} hours') RETURNING expires_at`,
};
const findSession = {
  name: 'session_find',
  text: `SELECT k.id, k.tenant, k.scopes, k.tier FROM session s JOIN api_key k ON k.id = s.api_key_id
    WHERE s.hash = $1 AND s.expires_at > clock_timestamp() AND k.revoked_at IS NULL
      AND coalesce(k.expires_at > clock_timestamp(), true)`,
};
const deleteSession = { name: 'session_delete', text: 'DELETE FROM session WHERE hash = $1' };

interface SessionRow {
  id: string;
  tenant: string;
  scopes: string[];
  tier: string;
}

/** Opens a session of 12 hours. */
export async function openSession(db: Db, caller: Caller): Promise<{ token: string; expiresAt: Date }> {
  const token = randomBytes(32).toString('base64url');
  const [row] = await db.run<{ expires_at: Date }>(insertSession, [sha256(token), caller.keyId]);
  if (row === undefined) throw new Error('opening a session failed: no row came back; this is a bug');
  return { token, expiresAt: row.expires_at };
}

/** Whose session it is; undefined when there is none, or it or its key has ended. */
export async function readSession(db: Db, token: string): Promise<Caller | undefined> {
  const [row] = await db.run<SessionRow>(findSession, [sha256(token)]);
  if (row === undefined) return undefined;
  return { keyId: row.id, tenant: row.tenant, tier: row.tier, scopes: new Set(row.scopes) };
}

export async function closeSession(db: Db, token: string): Promise<void> {
  await db.run(deleteSession, [sha256(token)]);
}
