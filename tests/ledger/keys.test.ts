import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createKey, createKeyring, ensureKey, hasScope, type Caller } from '../../ledger/keys.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const given = { name: 'main api', tenant: 'acme', scopes: ['enqueue:email', 'jobs:read'] };

test('a key is its holder: tenant, scopes and tier come back, its text is not in the database', async () => {
  const { id, key } = await createKey(world.db, { ...given, tier: 'gold' });
  const caller = (await createKeyring(world).verify(key)) as Caller;
  expect(caller).toEqual({ keyId: id, tenant: 'acme', tier: 'gold', scopes: new Set(given.scopes) });
  const [row] = await query<{ text: string; used: boolean }>(
    world,
    'SELECT k::text AS text, last_used_at IS NOT NULL AS used FROM api_key k WHERE id = $1',
    [id],
  );
  expect(row?.text).not.toContain(key.slice(14));
  expect(row?.used).toBe(true);
});

test.each([
  [
    'a right prefix with a wrong secret',
    (key: string) => `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
  ],
  ['a stranger', () => `stj_${'x'.repeat(43)}`],
  ['no key at all', () => 'Basic YTpi'],
  ['an endless text', (key: string) => key + 'a'.repeat(10_000)],
])('%s is unknown', async (_, change) => {
  const { key } = await createKey(world.db, given);
  expect(await createKeyring(world).verify(change(key))).toBe('unknown');
});

test('an expired key and a revoked key say so', async () => {
  const { key } = await createKey(world.db, { ...given, expiresAt: new Date(Date.now() - 1_000) });
  expect(await createKeyring(world).verify(key)).toBe('expired');
  const revoked = await createKey(world.db, given);
  await query(world, 'UPDATE api_key SET revoked_at = now() WHERE id = $1', [revoked.id]);
  expect(await createKeyring(world).verify(revoked.key)).toBe('expired');
});

test('a key that is revoked while it is remembered is refused a minute later at the latest', async () => {
  const { id, key } = await createKey(world.db, given);
  const keyring = createKeyring(world);
  expect(await keyring.verify(key)).toMatchObject({ keyId: id });
  await query(world, 'UPDATE api_key SET revoked_at = now() WHERE id = $1', [id]);
  const later = performance.now() + 60_001;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => later);
  expect(await keyring.verify(key)).toBe('expired');
  clock.mockRestore();
});

test('a verified key asks the ledger once, however many ask at the same time', async () => {
  const { key } = await createKey(world.db, given);
  let asked = 0;
  const run: typeof world.db.run = (statement, values) => {
    if (statement.name === 'key_find') asked += 1;
    return world.db.run(statement, values);
  };
  const keyring = createKeyring({ db: { ...world.db, run } });
  await Promise.all(Array.from({ length: 20 }, () => keyring.verify(key)));
  await keyring.verify(key);
  await Promise.all(Array.from({ length: 20 }, () => keyring.verify(`stj_${'y'.repeat(43)}`)));
  await keyring.verify(`stj_${'y'.repeat(43)}`);
  expect(asked).toBe(2);
});

test('a key kept in a file stays the same key with the rights of today', async () => {
  const key = `stj_${'k'.repeat(43)}`;
  const first = await ensureKey(world.db, { ...given, key });
  const second = await ensureKey(world.db, { ...given, key, scopes: ['admin'] });
  expect(second.id).toBe(first.id);
  const caller = (await createKeyring(world).verify(key)) as Caller;
  expect(hasScope(caller, 'jobs:operate')).toBe(true);
  await expect(ensureKey(world.db, { ...given, key: 'changeme' })).rejects.toThrow('is not of the form');
});

const holder = (...scopes: string[]): Caller => ({
  keyId: '',
  tenant: '',
  tier: '',
  scopes: new Set(scopes),
});

test('a scope is held by name, by enqueue:* for every queue, and by admin for everything', () => {
  expect(hasScope(holder('enqueue:email'), 'enqueue:email')).toBe(true);
  expect(hasScope(holder('enqueue:email'), 'enqueue:reports')).toBe(false);
  expect(hasScope(holder('enqueue:*'), 'enqueue:reports')).toBe(true);
  expect(hasScope(holder('enqueue:*'), 'jobs:read')).toBe(false);
  expect(hasScope(holder('admin'), 'jobs:read')).toBe(true);
});
