// What was uploaded to the Cloudinary stand-in: bytes and a description on disk, one folder an asset, so links open after a restart.
// Every file is written beside its place and renamed into it: a crash leaves the old asset or the new one, never half of one.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type ResourceType = 'image' | 'video' | 'raw';

export interface Asset {
  asset_id: string;
  public_id: string;
  resource_type: ResourceType;
  /** Seconds since 1970, always higher than the version it replaced. */
  version: number;
  /** Empty for raw. */
  format: string;
  /** MD5 of the bytes, hex. */
  etag: string;
  bytes: number;
  created_at: string;
  tags: string[];
  width?: number;
  height?: number;
  /** Seconds. */
  duration?: number;
  bit_rate?: number;
}

export interface Uploads {
  get: (type: ResourceType, publicId: string) => Promise<Asset | undefined>;
  bytesOf: (asset: Asset) => Promise<Buffer>;
  put: (asset: Omit<Asset, 'version'>, bytes: Buffer) => Promise<Asset>;
  /** What is there stays: `kept` then, and its own description. */
  putUnlessThere: (asset: Omit<Asset, 'version'>, bytes: Buffer) => Promise<{ asset: Asset; kept: boolean }>;
  /** Whether there was one. */
  remove: (type: ResourceType, publicId: string) => Promise<boolean>;
  /** A picture made from this version of the asset, made once and kept beside it. */
  derived: (asset: Asset, name: string, make: () => Promise<Buffer>) => Promise<Buffer>;
}

const orUndefined = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT') return undefined;
  throw error;
};

async function writeWhole(path: string, bytes: Buffer | string): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(beside, bytes);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }); // a full disk leaves no half of a file
    throw error;
  }
}

/** One caller at a time for one asset, or two uploads could mix one's bytes with the other's description. */
function makeTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    const forget = (): void => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  };
}

function folderOf(dataDir: string, type: ResourceType, publicId: string): string {
  const name = createHash('sha256').update(`${type}/${publicId}`).digest('hex').slice(0, 40);
  return join(dataDir, 'cloudinary', name);
}

function fileOf(dataDir: string, asset: Asset, name: string): string {
  return join(folderOf(dataDir, asset.resource_type, asset.public_id), `${asset.version}-${name}`);
}

async function readAsset(dataDir: string, type: ResourceType, publicId: string): Promise<Asset | undefined> {
  const path = join(folderOf(dataDir, type, publicId), 'asset.json');
  const text = await readFile(path, 'utf8').catch(orUndefined);
  return text === undefined ? undefined : (JSON.parse(text) as Asset);
}

async function writeAsset(dataDir: string, described: Omit<Asset, 'version'>, bytes: Buffer): Promise<Asset> {
  const before = await readAsset(dataDir, described.resource_type, described.public_id);
  const version = Math.max(Math.floor(Date.now() / 1000), (before?.version ?? 0) + 1);
  const asset = { ...described, version };
  const folder = folderOf(dataDir, asset.resource_type, asset.public_id);
  await mkdir(folder, { recursive: true });
  await writeWhole(fileOf(dataDir, asset, 'original'), bytes);
  await writeWhole(join(folder, 'asset.json'), JSON.stringify(asset));
  return asset;
}

export function openUploads(dataDir: string): Uploads {
  const turn = makeTurns();
  return {
    get: (type, publicId) => readAsset(dataDir, type, publicId),
    bytesOf: (asset) => readFile(fileOf(dataDir, asset, 'original')),
    put: (described, bytes) =>
      turn(`${described.resource_type}/${described.public_id}`, () => writeAsset(dataDir, described, bytes)),
    putUnlessThere: (described, bytes) =>
      turn(`${described.resource_type}/${described.public_id}`, async () => {
        const there = await readAsset(dataDir, described.resource_type, described.public_id);
        if (there) return { asset: there, kept: true };
        return { asset: await writeAsset(dataDir, described, bytes), kept: false };
      }),
    remove: (type, publicId) =>
      turn(`${type}/${publicId}`, async () => {
        if (!(await readAsset(dataDir, type, publicId))) return false;
        await rm(folderOf(dataDir, type, publicId), { recursive: true, force: true });
        return true;
      }),
    derived: async (asset, name, make) => {
      const path = fileOf(dataDir, asset, createHash('sha256').update(name).digest('hex').slice(0, 24));
      const kept = await readFile(path).catch(orUndefined);
      if (kept) return kept;
      const made = await make();
      await writeWhole(path, made).catch(orUndefined); // The asset may have been destroyed meanwhile.
      return made;
    },
  };
}
