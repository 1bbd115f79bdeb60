// Cloudinary's upload and destroy: the form, the signature, the parts, the file, and what is kept and answered.
import { createHash, randomBytes } from 'node:crypto';
import { describe, type Description } from './cloudinary-file.ts';
import { checkSignature, orRefused, Refused, sign } from './cloudinary-signature.ts';
import { formatOf, parseComponent, transform } from './cloudinary-transform.ts';
import type { Answer, Route, SandboxRequest, World } from './frame.ts';
import { readForm, type Form } from './multipart.ts';
import { openParts, readPart } from './uploads-parts.ts';
import type { Asset, ResourceType, Uploads } from './uploads.ts';

type Fields = ReadonlyMap<string, string>;

/** Parameters of @cloudinary 2.11.0's upload that this stand-in reads or may ignore without lying; any other is refused. */
const known = new Set(
  (
    'api_key signature timestamp file public_id folder asset_folder display_name overwrite unique_filename use_filename ' +
    'filename_override eager eager_async invalidate tags context type resource_type backup colors faces exif phash ' +
    'image_metadata media_metadata quality_analysis discard_original_filename public_id_prefix'
  ).split(' '),
);

const isOff = (value: string | undefined): boolean => value === '0' || value === 'false';

function publicIdOf(fields: Fields, filename: string): string {
  const folder = fields.get('folder');
  const given = fields.get('public_id');
  const suffix = isOff(fields.get('unique_filename')) ? '' : `_${randomBytes(3).toString('hex')}`;
  const named =
    fields.get('use_filename') === '1'
      ? filename.replace(/\.[^.]*$/, '') + suffix
      : randomBytes(10).toString('hex');
  return [folder, given ?? named].filter(Boolean).join('/');
}

function linkTo(world: World, asset: Asset, transformation = '', format = asset.format): string {
  const id = asset.public_id.split('/').map(encodeURIComponent).join('/');
  const middle = [transformation, `v${asset.version}`].filter(Boolean).join('/');
  const extension = format === '' ? '' : `.${format}`;
  const { cloud } = world.keys.cloudinary;
  return `${world.url}/cloudinary/${cloud}/${asset.resource_type}/upload/${middle}/${id}${extension}`;
}

interface Eager {
  transformation: string;
  components: Map<string, string>[];
}

function readEager(text: string | undefined): Eager[] {
  const wishes: Eager[] = [];
  for (const transformation of (text ?? '').split('|').filter(Boolean)) {
    const components = transformation.split('/').map(parseComponent);
    if (components.includes(undefined)) {
      throw new Refused(400, `Invalid transformation component - ${transformation}`);
    }
    wishes.push({ transformation, components: components.filter((part) => part !== undefined) });
  }
  return wishes;
}

async function derive(world: World, uploads: Uploads, asset: Asset, wish: Eager): Promise<object> {
  const { transformation, components } = wish;
  const format = formatOf({ components, original: asset.format });
  const bytes = await uploads.derived(asset, `${transformation}.${format}`, async () =>
    transform(await uploads.bytesOf(asset), { components, original: asset.format }),
  );
  const { width, height } = await describe(bytes, 'image');
  const url = linkTo(world, asset, transformation, format);
  return { transformation, width, height, bytes: bytes.length, format, url, secure_url: url };
}

function show(world: World, asset: Asset): Record<string, unknown> {
  const { public_id, version } = asset;
  const url = linkTo(world, asset);
  const signed = new Map([
    ['public_id', public_id],
    ['version', String(version)],
  ]);
  const signature = sign(signed, world.keys.cloudinary.secret, 'sha1');
  const versionId = createHash('md5').update(`${asset.asset_id}${version}`).digest('hex');
  const audio = { is_audio: true, audio: { codec: 'mp3', frequency: 44_100, channels: 1 } };
  return {
    ...asset,
    version_id: versionId,
    signature,
    type: 'upload',
    placeholder: false,
    url,
    secure_url: url,
    ...(asset.format === 'mp3' ? audio : {}),
    ...(asset.format === '' ? { format: undefined } : {}),
  };
}

/** The bytes of the form's file: a file part, or a text field with a data URI or a link to this sandbox. */
async function fileOf(world: World, form: Form): Promise<Buffer> {
  if (form.file) return form.file.bytes;
  const text = form.fields.get('file');
  if (text === undefined) throw new Refused(400, 'Missing required parameter - file');
  const data = /^data:[^,]*;base64,(.*)$/s.exec(text)?.[1];
  if (data !== undefined) return Buffer.from(data, 'base64');
  const shown = text.slice(0, 200);
  if (!text.startsWith(`${world.url}/cloudinary/`)) {
    throw new Refused(400, `Error in loading ${shown} - the sandbox loads its own links only`);
  }
  const answer = await fetch(text);
  if (!answer.ok) throw new Refused(400, `Error in loading ${shown} - ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

interface Arrival {
  fields: Fields;
  filename: string;
  bytes: Buffer;
  type: ResourceType | 'auto';
}

function describeAsset(arrival: Arrival, seen: Description, publicId: string): Omit<Asset, 'version'> {
  const { bytes, fields } = arrival;
  return {
    ...seen,
    asset_id: createHash('md5').update(`${seen.resource_type}/${publicId}`).digest('hex'),
    public_id: publicId,
    etag: createHash('md5').update(bytes).digest('hex'),
    bytes: bytes.length,
    created_at: new Date().toISOString(),
    tags: (fields.get('tags') ?? '').split(',').filter(Boolean),
  };
}

async function keep(world: World, uploads: Uploads, arrival: Arrival): Promise<Answer> {
  const { fields, bytes, type } = arrival;
  const eager = readEager(fields.get('eager'));
  const seen = await describe(bytes, type);
  if (eager.length > 0 && seen.resource_type !== 'image') {
    throw new Refused(400, 'Eager transformations are only served for images');
  }
  const publicId = publicIdOf(fields, arrival.filename);
  const described = describeAsset(arrival, seen, publicId);
  const { asset, kept } = isOff(fields.get('overwrite'))
    ? await uploads.putUnlessThere(described, bytes)
    : { asset: await uploads.put(described, bytes), kept: false };
  if (kept) return { status: 200, body: { ...show(world, asset), existing: true } };
  const derived = await Promise.all(eager.map((wish) => derive(world, uploads, asset, wish)));
  const body = { ...show(world, asset), ...(derived.length > 0 ? { eager: derived } : {}) };
  const units = { uploads: 1, bytes: bytes.length, transformations: derived.length };
  return { status: 200, body, accepted: { operation: 'upload', units, note: publicId } };
}

/** The checks that come before the file is looked at: form, cloud, signature, known fields. */
function readSigned(req: SandboxRequest, world: World): Form {
  const form = readForm(req.headers['content-type'], req.body);
  if (!form) throw new Refused(400, 'Bad multipart body');
  checkSignature(form.fields, req.params[0] ?? '', world.keys.cloudinary);
  const unknown = Array.from(form.fields.keys()).find((name) => !known.has(name));
  if (unknown !== undefined) throw new Refused(400, `Unknown parameter - ${unknown}`);
  return form;
}

export function uploadTo(world: World, uploads: Uploads): Route['accept'] {
  const parts = openParts(world.dataDir);
  return orRefused(async (req) => {
    const form = readSigned(req, world);
    const sent = await fileOf(world, form);
    const part = readPart(req);
    const bytes = part ? await parts.add(part, sent) : sent;
    if (!bytes) return { status: 200, body: { done: false } };
    const type = req.params[1] as Arrival['type'];
    return keep(world, uploads, { fields: form.fields, filename: form.file?.name ?? 'file', bytes, type });
  });
}

export function destroyIn(world: World, uploads: Uploads): Route['accept'] {
  return orRefused(async (req) => {
    const publicId = readSigned(req, world).fields.get('public_id');
    if (publicId === undefined) throw new Refused(400, 'Missing required parameter - public_id');
    const gone = await uploads.remove(req.params[1] as ResourceType, publicId);
    return { status: 200, body: { result: gone ? 'ok' : 'not found' } };
  });
}
