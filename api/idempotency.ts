// The Idempotency-Key header: a structured-field string in quotes, or the bare text. Both spellings are one key.
import { Problem } from '../shared/errors.ts';

const bare = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
const inQuotes = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key, or undefined when none was sent. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = decode(typeof header === 'string' ? header : header.join(', '));
  if (key !== undefined && key.length > 0 && key.length <= 255) return key;
  const rule = 'it must have 1 to 255 printable ASCII characters, in quotes or bare';
  throw new Problem(
    'idempotency_key_invalid',
    `the request failed: the Idempotency-Key cannot be used; ${rule}`,
  );
}

function decode(text: string): string | undefined {
  if (text.startsWith('"')) return inQuotes.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1');
  return bare.test(text) ? text : undefined;
}
