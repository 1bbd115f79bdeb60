// Who calls: one bearer key, verified by the keyring. A key anywhere else (query, body, Basic, a JWT) is not a key.
import type { IncomingMessage } from 'node:http';
import { Problem } from '../shared/errors.ts';
import { createThrottle } from '../shared/throttle.ts';
import { hasScope, type Caller, type Keyring } from '../ledger/keys.ts';

/** The caller, or one of the 401 problems, or `auth_throttled`. */
export type Authenticate = (req: IncomingMessage) => Promise<Caller>;

/**
 * Asks the keyring, and slows an address down that sends wrong keys: each new one costs the ledger a query. A key that begins
 * like a right one is always looked at: behind a proxy all callers share the address of the one who guesses.
 */
export function createAuthenticate(keyring: Keyring): Authenticate {
  const throttle = createThrottle({ perMinute: 10 });
  return async (req) => {
    const key = keyOf(req);
    const address = req.socket.remoteAddress ?? '';
    const seconds = throttle.waitSeconds(address, Date.now());
    if (seconds > 0 && !(await keyring.likely(key))) throw throttled(seconds);
    const found = await keyring.verify(key);
    if (found === 'unknown') {
      throttle.failed(address, Date.now());
      throw new Problem(
        'invalid_credentials',
        'the request failed: the key is not valid; check it or ask for a new one',
      );
    }
    if (found === 'expired')
      throw new Problem('credentials_expired', 'the request failed: the key has ended; ask for a new one');
    return found;
  };
}

/** The text that was sent as a key; empty when it came in another way than ours. */
function keyOf(req: IncomingMessage): string {
  const header = req.headers.authorization;
  if (header === undefined || header === '') {
    const how = 'send the header Authorization: Bearer stj_...';
    throw new Problem('unauthenticated', `the request failed: it has no key; ${how}`);
  }
  return /^bearer /i.test(header) ? header.slice(7).trim() : '';
}

function throttled(retryAfterSeconds: number): Problem {
  const todo = `try again in ${retryAfterSeconds} s`;
  const why = 'too many wrong keys came from your address';
  return new Problem('auth_throttled', `the request failed: ${why}; ${todo}`, { retryAfterSeconds });
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
