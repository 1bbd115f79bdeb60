// Files of any size, written in parts while they are made: no more than one part is held in memory. The parts belong to a draft,
// which nobody can read and which dies with its attempt; the step that stores its result makes the draft an artifact.
import { createHash } from 'node:crypto';
import { Failure } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { defaultLifetimeMs, type ArtifactRef } from './artifacts.ts';
import type { Begun } from './begin.ts';
import type { Db, Tx } from './db.ts';
import { checkHeld, heldJob, keyOf } from './fence.ts';

/** A file that fits into one part is kept as one value, like all other bytes: it costs no statement of its own. */
export const partBytes = 1_000_000;

/** Column `size` is an INTEGER, which ends soon after. */
const maxFileBytes = 2_000_000_000;

/** A file whose parts are stored. It becomes an artifact when the step whose value it is in is stored, or never. */
export class Draft {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Buffer;

  constructor(file: { id: string; size: number; sha256: Buffer }) {
    this.id = file.id;
    this.size = file.size;
    this.sha256 = file.sha256;
  }
}

/** What a step's value holds in the place of a file. */
export type Kept = Uint8Array | Draft;

export interface Writing {
  db: Db;
  begun: Begun;
  /** Ends the writing before the next part. */
  signal: AbortSignal;
  /** Default 2 GB. */
  maxBytes?: number;
}

/**
 * Stores the bytes as they come, part by part. Throws FencedError when the attempt is no longer the current one, and a `bad_input`
 * Failure when there are too many.
 */
export async function keepFile(writing: Writing, chunks: AsyncIterable<Uint8Array>): Promise<Kept> {
  const { db, begun, signal, maxBytes = maxFileBytes } = writing;
  const hash = createHash('sha256');
  let size = 0;
  let draft: { id: string; n: number } | undefined;

  async function store(part: Uint8Array): Promise<void> {
    size += part.length;
    if (size > maxBytes)
      throw new Failure('bad_input', `the file failed: it has over ${maxBytes} bytes; ask for less at once`);
    hash.update(part);
    signal.throwIfAborted();
    draft ??= { id: await openDraft(db, begun), n: 0 };
    await addPart(db, begun, { ...draft, bytes: part });
    draft.n += 1;
  }

  const rest = await cut(chunks, store);
  if (draft === undefined) return rest;
  await store(rest);
  return new Draft({ id: draft.id, size, sha256: hash.digest() });
}

/** Hands on full parts, each when it is known that more comes after it; gives the rest, which is empty only if all was. */
async function cut(
  chunks: AsyncIterable<Uint8Array>,
  onFull: (part: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  let part = new Uint8Array(partBytes);
  let used = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      if (used === partBytes) {
        await onFull(part);
        part = new Uint8Array(partBytes);
        used = 0;
      }
      const piece = chunk.subarray(from, from + partBytes - used);
      part.set(piece, used);
      used += piece.length;
      from += piece.length;
    }
  }
  return part.subarray(0, used);
}

const draftRow = {
  name: 'draft_open',
  text: `INSERT INTO artifact (id, tenant, job_id, content_type, sha256, size, draft_attempt_no, expires_at)
    SELECT $4::uuid, tenant, id, '', '', 0, attempt_no, clock_timestamp() + interval '1 day' ${heldJob} RETURNING id`,
};

const partRow = {
  name: 'draft_add',
  text: `INSERT INTO artifact_part (artifact_id, n, bytes) SELECT $4::uuid, $5::int, $6::bytea ${heldJob} RETURNING n`,
};

async function openDraft(db: Db, begun: Begun): Promise<string> {
  const id = newId();
  checkHeld(begun, await db.run(draftRow, [...keyOf(begun), id]));
  return id;
}

async function addPart(
  db: Db,
  begun: Begun,
  { id, n, bytes }: { id: string; n: number; bytes: Uint8Array },
): Promise<void> {
  checkHeld(begun, await db.run(partRow, [...keyOf(begun), id, n, bytes]));
}

/** Makes the draft an artifact; sent again, it changes nothing. */
export async function sealDraft(tx: Tx, draft: Draft, contentType: string): Promise<ArtifactRef> {
  const { id, size, sha256 } = draft;
  const sealed = await tx.$executeRaw`
    UPDATE artifact SET content_type = ${contentType}, size = ${size}::int, sha256 = ${new Uint8Array(sha256)}, draft_attempt_no = NULL,
      expires_at = clock_timestamp() + ${defaultLifetimeMs}::float8 * interval '1 ms'
    WHERE id = ${id}::uuid`;
  if (sealed === 0) throw new Error(`storing a file failed: its parts are gone (${id})`);
  return { artifactId: id, contentType, size, sha256: sha256.toString('hex') };
}
