// Reading an artifact for somebody outside: its tenant and its lifetime are part of the query.
import type { Db } from './db.ts';

export interface ArtifactView {
  id: string;
  contentType: string;
  fileName: string | null;
  sha256: Buffer;
  /** In bytes. */
  size: number;
  bytes: Buffer;
}

const readOne = {
  name: 'artifact_read',
  text: `SELECT id, content_type AS "contentType", file_name AS "fileName", sha256, size, bytes FROM artifact
    WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND expires_at > clock_timestamp()`,
};

/** `tenant` undefined: any, for the holder of a signed link. */
export async function readArtifact(
  db: Db,
  id: string,
  tenant: string | undefined,
): Promise<ArtifactView | undefined> {
  const [row] = await db.run<ArtifactView>(readOne, [id, tenant ?? null]);
  return row;
}
