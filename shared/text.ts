// Text at the boundaries: what may be stored, what a hash is taken of, what a person probably meant. Pure.
import { createHash } from 'node:crypto';

const nulOrLone = /\u0000|\p{Surrogate}/u;
const nulOrLoneAll = /\u0000|\p{Surrogate}/gu;

/** Whether PostgreSQL would refuse the text: a NUL or half of a surrogate pair. */
export function hasForbiddenCharacters(text: string): boolean {
  return nulOrLone.test(text);
}

/** Text from outside (an error message, a model's answer) made storable: forbidden characters become U+FFFD. */
export function sanitiseText(text: string, maxLength = 4_000): string {
  const clean = text.replaceAll(nulOrLoneAll, '\uFFFD');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…`.replaceAll(nulOrLoneAll, '') : clean;
}

/** A value as JSON that can be stored: no NUL, no lone surrogate, no cycle, BigInt as text. Functions are dropped. */
export function toStorableJson(value: unknown): string {
  const plain = plainJson(value);
  // JSON escapes a NUL and a lone surrogate: without an escape there is nothing to replace.
  return plain === undefined || plain.includes('\\u') ? cleanJson(value) : plain;
}

function plainJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return undefined; // a cycle or a BigInt
  }
}

function cleanJson(value: unknown): string {
  const open = new Set<unknown>();
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return sanitiseText(item, Number.MAX_SAFE_INTEGER);
    if (typeof item === 'bigint') return item.toString();
    if (typeof item !== 'object' || item === null) return item;
    if (open.has(item)) return '[circular]';
    open.add(item);
    const copy = copyOf(item, walk);
    open.delete(item);
    return copy;
  };
  return JSON.stringify(walk(value)) ?? 'null';
}

function copyOf(item: object, walk: (inner: unknown) => unknown): unknown {
  if ('toJSON' in item && typeof item.toJSON === 'function') return walk(item.toJSON());
  if (Array.isArray(item)) return item.map(walk);
  return Object.fromEntries(
    Object.entries(item).map(([key, inner]) => [sanitiseText(key, 1_000), walk(inner)]),
  );
}

/** JSON with sorted keys, so that two spellings of one body have one hash. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}

export function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

/** Text for a message: one line, control characters escaped, at most 64 characters. */
export function quoted(text: string, maxLength = 64): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(cut.replaceAll(nulOrLoneAll, '\uFFFD')).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The candidate a person most likely meant, when one is near enough to say so. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3));
  if (word.length > 100) return undefined;
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= limit ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const swap = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
