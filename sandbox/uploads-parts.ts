// Uploads that come in parts (Content-Range, one X-Unique-Upload-Id): kept on disk until the last part is there.
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Refused } from './cloudinary-signature.ts';
import type { SandboxRequest } from './frame.ts';

const smallestPartBytes = 5_000_000;

export interface Part {
  id: string;
  from: number;
  to: number;
  /** -1 until the last part. */
  total: number;
}

/** undefined when the request is a whole upload; throws when its range cannot be understood. */
export function readPart({ headers }: SandboxRequest): Part | undefined {
  const range = headers['content-range'];
  if (range === undefined) return undefined;
  const found = /^bytes (\d+)-(\d+)\/(-1|\d+)$/.exec(range);
  const id = headers['x-unique-upload-id'];
  if (!found || typeof id !== 'string') throw new Refused(400, 'Invalid Content-Range or X-Unique-Upload-Id');
  return { id, from: Number(found[1]), to: Number(found[2]), total: Number(found[3]) };
}

export interface Parts {
  /** The whole file after the last part, undefined before it; throws when the part does not fit. */
  add: (part: Part, bytes: Buffer) => Promise<Buffer | undefined>;
}

export function openParts(dataDir: string): Parts {
  const folder = join(dataDir, 'cloudinary-parts');
  return {
    add: async (part, bytes) => {
      const path = join(folder, createHash('sha256').update(part.id).digest('hex'));
      const last = part.total >= 0;
      if (!last && bytes.length < smallestPartBytes)
        throw new Refused(400, 'All parts except EOF-chunk must be larger than 5mb');
      await mkdir(folder, { recursive: true });
      const { size } = await stat(path).catch(() => ({ size: 0 }));
      const fits = part.from === size && part.to - part.from + 1 === bytes.length;
      if (!fits || (last && part.to + 1 !== part.total))
        throw new Refused(400, 'Content-Range does not follow the parts received so far');
      await appendFile(path, bytes);
      if (!last) return undefined;
      const whole = await readFile(path);
      await rm(path, { force: true });
      return whole;
    },
  };
}
