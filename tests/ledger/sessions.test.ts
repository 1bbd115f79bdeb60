import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKey, createKeyring, type Caller } from '../../ledger/keys.ts';
import { closeSession, openSession, readSession } from '../../ledger/sessions.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

async function login(): Promise<{ caller: Caller; token: string; keyId: string }> {
  const { id, key } = await createKey(world.db, { name: 'operator', tenant: 'acme', scopes: ['jobs:read'] });
  const caller = (await createKeyring(world).verify(key)) as Caller;
  const { token, expiresAt } = await openSession(world.db, caller);
  expect(Math.abs(expiresAt.getTime() - Date.now() - 12 * 3_600_000)).toBeLessThan(60_000);
  return { caller, token, keyId: id };
}

test('a session is its key until it is closed', async () => {
  const { caller, token } = await login();
  expect(await readSession(world.db, token)).toEqual(caller);
  expect(await readSession(world.db, `${token}x`)).toBeUndefined();
  await closeSession(world.db, token);
  expect(await readSession(world.db, token)).toBeUndefined();
});

test.each([
  ['its key is revoked', 'UPDATE api_key SET revoked_at = now() WHERE id = $1'],
  ['its time is over', 'UPDATE session SET expires_at = now() WHERE api_key_id = $1'],
  ['its key is removed', 'DELETE FROM api_key WHERE id = $1'],
])('a session ends when %s', async (_, text) => {
  const { token, keyId } = await login();
  await query(world, text, [keyId]);
  expect(await readSession(world.db, token)).toBeUndefined();
});
