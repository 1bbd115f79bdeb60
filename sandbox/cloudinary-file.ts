// Looks at an uploaded file as Cloudinary does: decodes a picture wholly, counts an audio file's frames, refuses what it cannot read.
import sharp from 'sharp';
import { Refused } from './cloudinary-signature.ts';
import { readMp3 } from './mp3.ts';
import type { Asset, ResourceType } from './uploads.ts';

export type Description = Pick<Asset, 'format' | 'width' | 'height' | 'duration' | 'bit_rate'> & {
  resource_type: ResourceType;
};

/** Bytes; the vendor's free plan. */
const limits: Record<ResourceType, number> = { image: 10_485_760, video: 104_857_600, raw: 10_485_760 };

const pictureFormats: Record<string, string> = {
  jpeg: 'jpg',
  png: 'png',
  webp: 'webp',
  gif: 'gif',
  heif: 'avif',
};

async function describePicture(bytes: Buffer): Promise<Description | undefined> {
  try {
    const picture = sharp(bytes, { failOn: 'truncated', limitInputPixels: 50_000_000 });
    const { format, width, height } = await picture.metadata();
    const shown = pictureFormats[format];
    if (shown === undefined) return undefined;
    await picture.resize(1, 1).raw().toBuffer(); // The header may be fine where the pixels are not.
    return { resource_type: 'image', format: shown, width, height };
  } catch {
    return undefined;
  }
}

function describeAudio(bytes: Buffer): Description | undefined {
  const mp3 = readMp3(bytes);
  if (!mp3) return undefined;
  return { resource_type: 'video', format: 'mp3', duration: mp3.seconds, bit_rate: mp3.first.kbps * 1000 };
}

const raw: Description = { resource_type: 'raw', format: '' };

async function look(bytes: Buffer, type: ResourceType | 'auto'): Promise<Description> {
  if (type === 'raw') return raw;
  const picture = type === 'video' ? undefined : await describePicture(bytes);
  if (picture) return picture;
  if (type === 'image') throw new Refused(400, 'Invalid image file');
  const audio = describeAudio(bytes);
  if (audio) return audio;
  if (type === 'video') throw new Refused(400, 'Unsupported video format or file');
  return raw;
}

/** What the bytes are when `type` (or `auto`) is asked for; throws the vendor's refusal. */
export async function describe(bytes: Buffer, type: ResourceType | 'auto'): Promise<Description> {
  if (bytes.length === 0) throw new Refused(400, 'Empty file');
  const found = await look(bytes, type);
  const limit = limits[found.resource_type];
  if (bytes.length > limit) {
    throw new Refused(400, `File size too large. Got ${bytes.length}. Maximum is ${limit}.`);
  }
  return found;
}
