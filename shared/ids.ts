// Ids: UUIDv7 (RFC 9562), made before a batch is sent so that a lost connection can be answered by sending it again.
import { createHash, randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(16 * 256);
let used = pool.length;
let lastMs = 0;
let sequence = 0;
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A clock that goes back further than this was wrong before: going on from there would date ids ahead until it is reached. */
const mostBackMs = 60_000;

/** A new id: sorted by time across processes, strictly rising within one millisecond of this process. */
export function newId(nowMs: number = Date.now()): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  if (lastMs - nowMs > mostBackMs) lastMs = 0;
  sequence = nowMs > lastMs ? bytes.readUInt16BE(6) & 0x07ff : sequence + 1;
  lastMs = Math.max(nowMs, lastMs);
  if (sequence > 0x0fff) {
    sequence = 0;
    lastMs += 1;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | sequence, 6);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return format(bytes);
}

/** The same id for the same name (UUIDv8 of its SHA-256): a row that is written twice is written once. */
export function idOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return format(bytes);
}

function format(bytes: Uint8Array): string {
  const h = (index: number): string => hex[bytes[index] ?? 0] ?? '00';
  return (
    `${h(0)}${h(1)}${h(2)}${h(3)}-${h(4)}${h(5)}-${h(6)}${h(7)}-${h(8)}${h(9)}-` +
    `${h(10)}${h(11)}${h(12)}${h(13)}${h(14)}${h(15)}`
  );
}

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function isId(text: string): boolean {
  return pattern.test(text);
}
