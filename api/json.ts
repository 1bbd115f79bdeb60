// JSON from outside: valid UTF-8, strict JSON, and small enough that whatever walks it afterwards cannot overflow or stall.
// Depth, keys and items are counted in the bytes, before the parser sees them: an object of 20,000 keys takes it ten times as
// long.
import { isUtf8 } from 'node:buffer';
import { Problem, toError } from '../shared/errors.ts';

const maxDepth = 32;
const maxKeys = 10_000;
const maxItems = 10_000; // the longest list that a job takes has a few dozen
const maxKeyLength = 256;
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/** Parses a request body. Throws `invalid_encoding`, `malformed_json`, `json_too_complex` or `forbidden_key`. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes))
    throw new Problem(
      'invalid_encoding',
      'the request failed: the body is not valid UTF-8; encode it as UTF-8',
    );
  measure(bytes);
  const value = parse(bytes.toString('utf8'));
  checkNames(value);
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

const [quote, backslash, colon, comma] = [...Buffer.from('"\\:,')];
const [openers, closers] = [new Set(Buffer.from('[{')), new Set(Buffer.from(']}'))];

/** Throws when the text is nested deeper or has more keys or items than any request of ours. */
function measure(bytes: Buffer): void {
  let [depth, keys, items] = [0, 0, 1];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) at = endOfString(bytes, at);
    else if (byte === colon) keys += 1;
    else if (byte === comma) items += 1;
    else if (openers.has(byte)) depth += 1;
    else if (closers.has(byte)) depth -= 1;
    checkMeasure(depth, keys, items);
  }
}

function checkMeasure(depth: number, keys: number, items: number): void {
  if (depth > maxDepth) throw tooComplex(`the body is nested more than ${maxDepth} deep`);
  if (keys > maxKeys) throw tooComplex(`the body has more than ${maxKeys} keys`);
  if (items > maxItems) throw tooComplex(`the body has more than ${maxItems} items`);
}

/** Where the string that opens at `start` closes. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === backslash) at += 1;
    else if (bytes[at] === quote) return at;
  }
  return bytes.length;
}

/** Throws when a key is longer, or of another kind, than any of ours. Its depth is known to be small. */
function checkNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) checkNames(item);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key.length > maxKeyLength) throw tooComplex(`a key has more than ${maxKeyLength} characters`);
    if (forbidden.has(key))
      throw new Problem('forbidden_key', `the request failed: ${key} is not allowed as a key; remove it`);
    checkNames(inner);
  }
}
