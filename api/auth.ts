// Who calls: one bearer key, verified by the keyring. A key anywhere else (query, body, Basic, a JWT) is not a key.
import type { IncomingMessage } from 'node:http';
import { Problem } from '../shared/errors.ts';
import { hasScope, type Caller, type Keyring } from '../ledger/keys.ts';

/** The caller, or one of the 401 problems. */
export async function authenticate(keyring: Keyring, req: IncomingMessage): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined || header === '') {
    const how = 'send the header Authorization: Bearer stj_...';
    throw new Problem('unauthenticated', `the request failed: it has no key; ${how}`);
  }
  const found = /^bearer /i.test(header) ? await keyring.verify(header.slice(7).trim()) : 'unknown';
  if (found === 'unknown')
    throw new Problem(
      'invalid_credentials',
      'the request failed: the key is not valid; check it or ask for a new one',
    );
  if (found === 'expired')
    throw new Problem('credentials_expired', 'the request failed: the key has ended; ask for a new one');
  return found;
}

export function requireScope(caller: Caller, scope: string): void {
  if (hasScope(caller, scope)) return;
  throw new Problem(
    'insufficient_scope',
    `the request failed: the key lacks the scope ${scope}; use a key that has it`,
    {
      details: { scope },
    },
  );
}
