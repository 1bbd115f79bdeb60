// JSON from outside: valid UTF-8, strict JSON, and small enough that whatever walks it afterwards cannot overflow or stall.
// The measuring is a loop over levels, not a recursion, and runs before anything recursive sees the value.
import { isUtf8 } from 'node:buffer';
import { Problem, toError } from '../shared/errors.ts';

const maxDepth = 32;
const maxKeys = 10_000;
const maxKeyLength = 256;
const maxItems = 100_000;

/** Parses a request body. Throws `invalid_encoding`, `malformed_json`, `json_too_complex` or `forbidden_key`. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes))
    throw new Problem(
      'invalid_encoding',
      'the request failed: the body is not valid UTF-8; encode it as UTF-8',
    );
  const value = parse(bytes.toString('utf8'));
  measure(value);
  return value;
}

function parse(text: string): unknown {
  if (text === '') throw malformed('the body is empty');
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    // Only the position: the parser's own message quotes the body.
    const [, position] = /position (\d+)/.exec(toError(thrown).message) ?? [];
    throw malformed(
      position === undefined ? 'the body is not JSON' : `the body is not JSON at position ${position}`,
    );
  }
}

function malformed(why: string): Problem {
  return new Problem('malformed_json', `the request failed: ${why}; send one JSON object`);
}

function tooComplex(why: string): Problem {
  return new Problem('json_too_complex', `the request failed: ${why}; send a simpler body`);
}

/** Throws when the value is deeper, wider or has more or longer keys than any request of ours. */
function measure(root: unknown): void {
  let level: object[] = typeof root === 'object' && root !== null ? [root] : [];
  let keys = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw tooComplex(`the body is nested more than ${maxDepth} deep`);
    const next: object[] = [];
    for (const item of level) {
      keys += Array.isArray(item) ? gatherItems(item, next) : gatherFields(item, next);
      if (keys > maxKeys) throw tooComplex(`the body has more than ${maxKeys} keys`);
    }
    level = next;
  }
}

function gatherItems(items: readonly unknown[], next: object[]): number {
  if (items.length > maxItems) throw tooComplex(`an array has more than ${maxItems} items`);
  for (const inner of items) if (typeof inner === 'object' && inner !== null) next.push(inner);
  return 0;
}

function gatherFields(item: object, next: object[]): number {
  const fields = Object.entries(item) as [string, unknown][];
  for (const [key, inner] of fields) {
    if (key.length > maxKeyLength) throw tooComplex(`a key has more than ${maxKeyLength} characters`);
    if (key === '__proto__' || key === 'constructor' || key === 'prototype')
      throw new Problem('forbidden_key', `the request failed: ${key} is not allowed as a key; remove it`);
    if (typeof inner === 'object' && inner !== null) next.push(inner);
  }
  return fields.length;
}
