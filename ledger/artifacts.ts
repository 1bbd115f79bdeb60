// Artifacts: bytes passed between steps and jobs, with a content hash and a lifetime. Never in the engine.
import { Failure } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { sha256 } from '../shared/text.ts';
import type { Db, Tx } from './db.ts';

/** What is passed around instead of the bytes. */
export interface ArtifactRef {
  artifactId: string;
  contentType: string;
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256: string;
}

export interface NewArtifact {
  bytes: Uint8Array;
  contentType: string;
  fileName?: string;
  /** Default 7 days. */
  lifetimeMs?: number;
}

export interface Artifact {
  id: string;
  tenant: string;
  contentType: string;
  fileName: string | null;
  bytes: Uint8Array;
}

/** A week. */
export const defaultLifetimeMs = 7 * 86_400_000;

export async function storeArtifact(
  tx: Tx,
  owner: { jobId: string; tenant: string },
  artifact: NewArtifact,
): Promise<ArtifactRef> {
  const hash = sha256(artifact.bytes);
  const id = newId();
  const { bytes, contentType, fileName = null, lifetimeMs = defaultLifetimeMs } = artifact;
  // The lifetime by the database's clock, which its readers and the pruner go by.
  await tx.$executeRaw`
    INSERT INTO artifact (id, tenant, job_id, content_type, file_name, sha256, size, bytes, expires_at)
    VALUES (${id}::uuid, ${owner.tenant}, ${owner.jobId}::uuid, ${contentType}, ${fileName}, ${new Uint8Array(hash)}, ${bytes.length}::int,
      ${new Uint8Array(bytes)}, clock_timestamp() + ${lifetimeMs}::float8 * interval '1 ms')`;
  return {
    artifactId: id,
    contentType,
    size: bytes.length,
    sha256: hash.toString('hex'),
  };
}

/**
 * The bytes of an artifact. One that is gone, or another tenant's when `tenant` is given, is a `bad_input` Failure, and so is a file
 * in parts: it may be larger than the memory of whoever asks.
 */
export async function readArtifact(db: Db, id: string, tenant?: string): Promise<Artifact> {
  const row = await db.prisma.artifact.findFirst({
    where: { id, ...(tenant !== undefined && { tenant }) },
    select: { id: true, tenant: true, contentType: true, fileName: true, bytes: true },
  });
  if (row === null)
    throw new Failure(
      'bad_input',
      `artifact ${id} cannot be read: it does not exist or its lifetime has passed`,
    );
  const { bytes } = row;
  if (bytes === null)
    throw new Failure(
      'bad_input',
      `artifact ${id} cannot be read: it is a file to be downloaded, too large here`,
    );
  return { ...row, bytes };
}
