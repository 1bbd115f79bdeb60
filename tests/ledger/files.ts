// Files in parts: bytes that differ from part to part, and what the ledger has of a file.
import { keepFile, partBytes, type Kept } from '../../ledger/artifact-parts.ts';
import type { Begun } from '../../ledger/begin.ts';
import { readArtifact, readParts } from '../../ledger/queries-artifacts.ts';
import { commitStep } from '../../ledger/steps.ts';
import { query, type LedgerWorld } from './world.ts';

const period = 9_973; // a prime: no two parts are alike

export function bytesOf(size: number): Buffer {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: period }, (_, index) => (index * 31) % 251)));
}

/** The bytes in pieces that do not fit into parts evenly; `onPull` is told how many were asked for so far. */
export async function* chunksOf(
  bytes: Uint8Array,
  onPull: (pulled: number) => unknown = () => undefined,
): AsyncGenerator<Uint8Array> {
  const step = 65_521;
  for (let from = 0; from < bytes.length; from += step) {
    await onPull(Math.min(from + step, bytes.length));
    yield bytes.subarray(from, from + step);
  }
}

export function keep(world: LedgerWorld, begun: Begun, chunks: AsyncIterable<Uint8Array>): Promise<Kept> {
  return keepFile({ db: world.db, begun, signal: new AbortController().signal }, chunks);
}

/** Keeps a file of so many full parts and one byte, as the step `file` of the attempt; gives its artifact's id. */
export async function storeFile(world: LedgerWorld, begun: Begun, parts: number): Promise<string> {
  const file = await keep(world, begun, chunksOf(bytesOf(parts * partBytes + 1)));
  const { value } = await commitStep(world.db, begun, {
    name: 'file',
    value: { file },
    charges: [],
    durationMs: 1,
  });
  return value.file.artifactId;
}

/** What somebody outside gets, part by part; undefined when there is no such artifact for them. */
export async function download(world: LedgerWorld, id: string): Promise<Buffer[] | undefined> {
  const found = await readArtifact(world.db, id, 'acme');
  if (found === undefined) return undefined;
  const parts: Buffer[] = [];
  for await (const part of readParts(world.db, found)) parts.push(part);
  return parts;
}

export interface FileRow {
  id: string;
  draft: number | null;
  parts: number;
}

/** Every artifact of the job, oldest first: the attempt that is writing it, and how many parts there are. */
export function filesOf(world: LedgerWorld, jobId: string): Promise<FileRow[]> {
  const text = `SELECT id, draft_attempt_no AS draft, (SELECT count(*)::int FROM artifact_part p WHERE p.artifact_id = a.id) AS parts
    FROM artifact a WHERE job_id = $1 ORDER BY id`;
  return query(world, text, [jobId]);
}
