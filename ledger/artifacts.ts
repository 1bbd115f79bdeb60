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

const weekMs = 7 * 86_400_000;

export async function storeArtifact(
  tx: Tx,
  owner: { jobId: string; tenant: string },
  artifact: NewArtifact,
): Promise<ArtifactRef> {
  const hash = sha256(artifact.bytes);
  const id = newId();
  await tx.artifact.create({
    data: {
      id,
      tenant: owner.tenant,
      jobId: owner.jobId,
      contentType: artifact.contentType,
      fileName: artifact.fileName ?? null,
      sha256: new Uint8Array(hash),
      size: artifact.bytes.length,
      bytes: new Uint8Array(artifact.bytes),
      expiresAt: new Date(Date.now() + (artifact.lifetimeMs ?? weekMs)),
    },
    select: { id: true },
  });
  return {
    artifactId: id,
    contentType: artifact.contentType,
    size: artifact.bytes.length,
    sha256: hash.toString('hex'),
  };
}

/** The bytes of an artifact. One that is gone, or another tenant's when `tenant` is given, is a `bad_input` Failure. */
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
  return row;
}
