// `storytime keys create`: a key for a caller of the API or an operator. Its text is printed once and kept nowhere.
import { loadConfig } from '../shared/config.ts';
import { quoted } from '../shared/text.ts';
import { openDb } from '../ledger/db.ts';
import { createKey } from '../ledger/keys.ts';
import { requireSchema } from '../ledger/schema-status.ts';
import { registry } from '../queues/index.ts';
import { CliError } from './exit.ts';
import { openDatabase } from './parts.ts';
import { json, type Terminal } from './terminal.ts';

export interface KeyFlags {
  name: string;
  tenant: string;
  scope: readonly string[];
  /** Milliseconds from now. */
  expires?: number;
  json?: boolean;
}

const maxLength = 100;

const plainScopes = ['jobs:read', 'jobs:operate', 'payloads:read', 'admin', 'enqueue:*'];

export async function runKeysCreate(terminal: Terminal, flags: KeyFlags): Promise<void> {
  refuseStrange('--name', flags.name);
  refuseStrange('--tenant', flags.tenant);
  if (flags.tenant === '*')
    throw new CliError('wrongUse', 'not a tenant: *, which is everybody in table budget; name one tenant');
  const known = [...plainScopes, ...registry.queues.map(({ name }) => `enqueue:${name}`)];
  const strange = flags.scope.filter((scope) => !known.includes(scope));
  if (strange.length > 0)
    throw new CliError('wrongUse', `not a scope: ${strange.join(', ')}; there are ${known.join(', ')}`);
  const config = loadConfig(terminal.env);
  const database = await openDatabase(config);
  const db = openDb({ url: database.url, poolSize: 2, statementTimeoutMs: 5_000, emit: () => undefined });
  try {
    await requireSchema(db);
    const { name, tenant, scope: scopes, expires } = flags;
    const expiry = expires === undefined ? {} : { expiresAt: new Date(Date.now() + expires) };
    const { id, key } = await createKey(db, { name, tenant, scopes, ...expiry });
    terminal.out(flags.json === true ? json({ id, key }) : `${key}\n`);
    if (flags.json !== true) terminal.err('Keep it now: it is shown this once.\n');
  } finally {
    await db.close();
    await database.stop();
  }
}

/** A tenant is compared letter by letter: one with an invisible letter would be another one that looks the same. */
function refuseStrange(flag: string, text: string): void {
  const fits = text !== '' && text.length <= maxLength && text.trim() === text;
  if (fits && !/\p{C}/u.test(text)) return;
  const need = `1 to ${maxLength} visible characters, without spaces at either end`;
  throw new CliError('wrongUse', `${flag} cannot be ${quoted(text)}; write ${need}`);
}
