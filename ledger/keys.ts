// API keys: 256 random bits, found by their first characters, stored as SHA-256, compared in constant time, shown once.
// A verified key is believed for a minute, so a revocation takes effect within that time; a wrong one for five seconds.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { newId } from '../shared/ids.ts';
import { sha256 } from '../shared/text.ts';
import type { Db } from './db.ts';

/** Who asks: what every route and every query is checked against. */
export interface Caller {
  keyId: string;
  tenant: string;
  scopes: ReadonlySet<string>;
  tier: string;
}

export interface NewKey {
  name: string;
  tenant: string;
  /** `enqueue:<queue>`, `enqueue:*`, `jobs:read`, `jobs:operate`, `payloads:read`, `admin`. */
  scopes: readonly string[];
  tier?: string;
  expiresAt?: Date;
}

export interface Keyring {
  /** Same work and same answer for an unknown key and for a known prefix with a wrong secret. */
  verify: (text: string) => Promise<Caller | 'unknown' | 'expired'>;
  /**
   * Whether it begins like one of the keys, which cannot be guessed: worth a look-up, wherever it comes from. However many ask,
   * the ledger is asked once in five seconds.
   */
  likely: (text: string) => Promise<boolean>;
}

/** Whether the caller may: `admin` implies everything, `enqueue:*` every queue. */
export function hasScope(caller: Caller, scope: string): boolean {
  const { scopes } = caller;
  if (scopes.has(scope) || scopes.has('admin')) return true;
  return scope.startsWith('enqueue:') && scopes.has('enqueue:*');
}

const prefixLength = 12;
const keyPattern = /^stj_[A-Za-z0-9_-]{32,128}$/;

const insertKey = {
  name: 'key_insert',
  text: `INSERT INTO api_key (id, name, prefix, hash, tenant, scopes, tier, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (prefix) DO NOTHING RETURNING id`,
};
const replaceKey = {
  name: 'key_replace',
  text: `INSERT INTO api_key (id, name, prefix, hash, tenant, scopes, tier, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (prefix) DO UPDATE SET name = excluded.name, hash = excluded.hash, tenant = excluded.tenant,
      scopes = excluded.scopes, tier = excluded.tier, expires_at = excluded.expires_at, revoked_at = NULL RETURNING id`,
};
const findKey = {
  name: 'key_find',
  text: `SELECT id, hash, tenant, scopes, tier, revoked_at IS NOT NULL OR coalesce(expires_at <= clock_timestamp(), false) AS ended,
      extract(epoch FROM expires_at - clock_timestamp())::float8 * 1000 AS left_ms
    FROM api_key WHERE prefix = $1`,
};
const readPrefixes = { name: 'key_prefixes', text: 'SELECT prefix FROM api_key WHERE revoked_at IS NULL' };
const touchKey = {
  name: 'key_touch',
  text: `UPDATE api_key SET last_used_at = clock_timestamp()
    WHERE id = $1 AND coalesce(last_used_at < clock_timestamp() - interval '1 minute', true)`,
};

interface KeyRow {
  id: string;
  hash: Buffer;
  tenant: string;
  scopes: string[];
  tier: string;
  ended: boolean;
  left_ms: number | null;
}

/** Makes a key. Its text is in the answer and nowhere else. */
export async function createKey(db: Db, given: NewKey): Promise<{ id: string; key: string }> {
  const key = `stj_${randomBytes(32).toString('base64url')}`;
  const [row] = await db.run<{ id: string }>(insertKey, rowOf(given, key));
  // Two keys with one prefix: one in 2^48, and then the next one is free.
  return row === undefined ? createKey(db, given) : { id: row.id, key };
}

/** Makes sure that this very key, kept in a file by the caller, is valid with these rights. */
export async function ensureKey(db: Db, given: NewKey & { key: string }): Promise<{ id: string }> {
  if (!keyPattern.test(given.key))
    throw new Error('keeping the key failed: it is not of the form stj_...; remove its file and start again');
  const [row] = await db.run<{ id: string }>(replaceKey, rowOf(given, given.key));
  if (row === undefined) throw new Error('keeping the key failed: no row came back; this is a bug');
  return row;
}

function rowOf(given: NewKey, key: string): unknown[] {
  const { name, tenant, scopes, tier = 'standard', expiresAt = null } = given;
  return [newId(), name, key.slice(0, prefixLength), sha256(key), tenant, [...scopes], tier, expiresAt];
}

const believedMs = 60_000;
const doubtedMs = 5_000;
const nobody = Buffer.alloc(32);

type Verdict = Caller | 'unknown' | 'expired';

/** Verifies keys. Two caches, so that guesses cannot push valid keys out. */
export function createKeyring({ db }: { db: Db }): Keyring {
  const valid = new LRUCache<string, Caller>({ max: 1_000, ttl: believedMs });
  const wrong = new LRUCache<string, 'unknown' | 'expired'>({ max: 5_000, ttl: doubtedMs });
  const prefixes = createPrefixes(db);
  const underWay = new Map<string, Promise<Verdict>>();

  async function look(text: string): Promise<Verdict> {
    const [row] = await db.run<KeyRow>(findKey, [text.slice(0, prefixLength)]);
    const matches = timingSafeEqual(sha256(text), row?.hash ?? nobody);
    if (row === undefined || !matches || row.ended) {
      const verdict = row !== undefined && matches ? 'expired' : 'unknown';
      wrong.set(text, verdict);
      return verdict;
    }
    await db.run(touchKey, [row.id]);
    const { id: keyId, tenant, tier } = row;
    const caller = { keyId, tenant, tier, scopes: new Set(row.scopes) };
    valid.set(text, caller, { ttl: Math.max(1, Math.min(believedMs, row.left_ms ?? believedMs)) });
    return caller;
  }

  return {
    likely: async (text) => valid.has(text) || (await prefixes()).has(text.slice(0, prefixLength)),
    async verify(text) {
      const known = valid.get(text) ?? wrong.get(text);
      if (known !== undefined) return known;
      if (!keyPattern.test(text)) return 'unknown';
      const pending = underWay.get(text) ?? look(text).finally(() => underWay.delete(text));
      underWay.set(text, pending);
      return pending;
    },
  };
}

/** The beginnings of all keys, five seconds old at most. */
function createPrefixes(db: Db): () => Promise<ReadonlySet<string>> {
  let readAt = Number.NEGATIVE_INFINITY;
  let known: Promise<ReadonlySet<string>> = Promise.resolve(new Set<string>());
  return () => {
    if (performance.now() - readAt < doubtedMs) return known;
    readAt = performance.now();
    known = db
      .run<{ prefix: string }>(readPrefixes, [])
      .then((rows) => new Set(rows.map(({ prefix }) => prefix)));
    known.catch(() => (readAt = Number.NEGATIVE_INFINITY)); // whoever waits is told
    return known;
  };
}
