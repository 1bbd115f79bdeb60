// Cloudinary's delivery: `/:cloud/:type/upload/<transformations>/v<version>/<public id>.<ext>`, with ranges so that a browser can seek.
// Answers are never run as a page: nosniff and a sandboxing policy go with every file, whatever somebody uploaded.
import { createHash } from 'node:crypto';
import { withRange } from './cloudinary-range.ts';
import { Refused } from './cloudinary-signature.ts';
import { formatOf, parseComponent, transform } from './cloudinary-transform.ts';
import type { Answer, Route, SandboxRequest } from './frame.ts';
import type { Asset, ResourceType, Uploads } from './uploads.ts';

const contentTypes: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  gif: 'image/gif',
  mp3: 'audio/mpeg',
  vtt: 'text/vtt; charset=utf-8',
  srt: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
};

const common = {
  'access-control-allow-origin': '*',
  'cache-control': 'public, max-age=2592000',
  // A browser that opens a file by itself makes a page around it, and the file is a source of that page.
  'content-security-policy':
    "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};

interface Address {
  components: Map<string, string>[];
  publicId: string;
}

/** Leading parts that are transformations, then a version, then the public id with its folders. */
function readAddress(rest: string): Address {
  const parts = rest.split('/');
  const components: Map<string, string>[] = [];
  for (
    let found = parseComponent(parts[0] ?? '');
    found && parts.length > 1;
    found = parseComponent(parts[0] ?? '')
  ) {
    components.push(found);
    parts.shift();
  }
  if (parts.length > 1 && /^v\d+$/.test(parts[0] ?? '')) parts.shift();
  return { components, publicId: parts.join('/') };
}

const splitExtension = (name: string): [id: string, extension: string] => {
  const found = /^(.+)\.([a-z0-9]{2,5})$/i.exec(name);
  return [found?.[1] ?? name, found?.[2]?.toLowerCase() ?? ''];
};

interface Found {
  asset: Asset;
  extension: string;
}

/** Raw files have the extension in their id; pictures and sounds do not. */
async function find(uploads: Uploads, type: ResourceType, name: string): Promise<Found | undefined> {
  const [id, extension] = splitExtension(name);
  const exact = await uploads.get(type, name);
  if (exact) return { asset: exact, extension: type === 'raw' ? extension : '' };
  const asset = type === 'raw' ? undefined : await uploads.get(type, id);
  return asset && { asset, extension };
}

interface File {
  bytes: Buffer;
  contentType: string;
}

async function picture(uploads: Uploads, found: Found, address: Address, accept: string): Promise<File> {
  const { asset, extension } = found;
  const { components } = address;
  const wish = { components, original: asset.format, accept, ...(extension === '' ? {} : { extension }) };
  const format = formatOf(wish);
  const contentType = contentTypes[format] ?? 'image/png';
  const plain = components.length === 0 && (extension === '' || extension === asset.format);
  if (plain) return { bytes: await uploads.bytesOf(asset), contentType };
  const name = `${components.map((params) => Array.from(params).join(';')).join('/')}.${format}`;
  const make = async (): Promise<Buffer> => transform(await uploads.bytesOf(asset), wish);
  return { bytes: await uploads.derived(asset, name, make), contentType };
}

async function fileOf(req: SandboxRequest, uploads: Uploads, found: Found, address: Address): Promise<File> {
  const { asset, extension } = found;
  if (asset.resource_type === 'image') return picture(uploads, found, address, req.headers.accept ?? '');
  if (address.components.length > 0) throw new Refused(400, 'Transformations are served for images only');
  if (asset.resource_type === 'video' && extension !== asset.format) {
    throw new Refused(400, `The sandbox does not convert sound: ask for .${asset.format}`);
  }
  return {
    bytes: await uploads.bytesOf(asset),
    contentType: contentTypes[extension] ?? 'application/octet-stream',
  };
}

async function deliver(req: SandboxRequest, uploads: Uploads): Promise<Answer> {
  const address = readAddress(req.params[2] ?? '');
  const found = await find(uploads, req.params[1] as ResourceType, address.publicId);
  if (!found) throw new Refused(404, `Resource not found - ${address.publicId}`);
  const { bytes, contentType } = await fileOf(req, uploads, found, address);
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const headers = { ...common, 'content-type': contentType, etag, vary: 'Accept' };
  if (req.headers['if-none-match'] === etag) return { status: 304, headers, body: '' };
  return withRange(req.headers.range, headers, bytes);
}

/** A refusal has no body: the vendor says why in the header x-cld-error. */
export function deliverFrom(cloud: string, uploads: Uploads): Route['accept'] {
  return async (req) => {
    try {
      if (req.params[0] !== cloud) throw new Refused(404, 'Resource not found');
      return await deliver(req, uploads);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const why = error.message.replaceAll(/[^\x20-\x7e]/g, '?');
      const headers = { ...common, 'cache-control': 'no-store', 'x-cld-error': why };
      return { status: error.answer.status, headers, body: '' };
    }
  };
}
