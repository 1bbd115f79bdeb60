// Reading an artifact for somebody outside: its tenant and its lifetime are part of the query, and a draft is not there. A file in
// parts is read one part at a time, each by a statement of its own: who reads slowly holds no connection and no snapshot.
import type { Db } from './db.ts';

export interface ArtifactView {
  id: string;
  contentType: string;
  fileName: string | null;
  sha256: Buffer;
  /** In bytes. */
  size: number;
  /** The first of its bytes; all of them, unless it is kept in parts. */
  bytes: Buffer;
}

const readOne = {
  name: 'artifact_read',
  text: `SELECT a.id, a.content_type AS "contentType", a.file_name AS "fileName", a.sha256, a.size, coalesce(a.bytes, p.bytes) AS bytes
    FROM artifact a LEFT JOIN artifact_part p ON p.artifact_id = a.id AND p.n = 0
    WHERE a.id = $1 AND ($2::text IS NULL OR a.tenant = $2) AND a.expires_at > clock_timestamp() AND a.draft_attempt_no IS NULL`,
};

const readPart = {
  name: 'artifact_part_read',
  text: 'SELECT bytes FROM artifact_part WHERE artifact_id = $1 AND n = $2',
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

/** All bytes of the artifact, in order; a part is read when it is asked for. Throws when one has been deleted meanwhile. */
export async function* readParts(db: Db, { id, size, bytes }: ArtifactView): AsyncGenerator<Buffer> {
  yield bytes;
  let given = bytes.length;
  for (let n = 1; given < size; n += 1) {
    const [part] = await db.run<{ bytes: Buffer }>(readPart, [id, n]);
    if (part === undefined) throw new Error(`reading artifact ${id} failed: its lifetime has passed`);
    yield part.bytes;
    given += part.bytes.length;
  }
}
