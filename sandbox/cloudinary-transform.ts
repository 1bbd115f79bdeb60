// Cloudinary's transformation strings (`c_limit,f_auto,q_auto,w_800`), carried out with sharp. A subset, and strict: what it
// does not know it refuses, as the vendor refuses what is malformed.
import sharp, { type FitEnum, type Sharp } from 'sharp';

const formats = { jpg: 'jpeg', jpeg: 'jpeg', png: 'png', webp: 'webp', avif: 'avif', gif: 'gif' } as const;
type Format = keyof typeof formats;

const largestSide = 8_000;

const patterns: Record<string, RegExp> = {
  c: /^(limit|fit|fill|scale|pad|thumb|crop)$/,
  w: /^[1-9]\d{0,3}$/,
  h: /^[1-9]\d{0,3}$/,
  f: /^(auto|jpe?g|png|webp|avif|gif)$/,
  q: /^(auto(:(best|good|eco|low))?|[1-9]\d?|100)$/,
  g: /^(auto|center|face|faces|north|south)$/,
  dpr: /^[12](\.\d)?$/,
  fl: /^(progressive|lossy|strip_profile)$/,
};

/** One component as its parameters; undefined when it is not a transformation at all. */
export function parseComponent(component: string): Map<string, string> | undefined {
  const params = new Map<string, string>();
  for (const part of component.split(',')) {
    const [, key = '', value = ''] = /^([a-z]{1,3})_(.+)$/.exec(part) ?? [];
    if (!patterns[key]?.test(value)) return undefined;
    params.set(key, value);
  }
  return params;
}

const fits: Record<string, keyof FitEnum> = {
  limit: 'inside',
  fit: 'inside',
  fill: 'cover',
  thumb: 'cover',
  crop: 'cover',
  pad: 'contain',
  scale: 'fill',
};

function resize(picture: Sharp, params: ReadonlyMap<string, string>): Sharp {
  const dpr = Number(params.get('dpr') ?? 1);
  const side = (name: string): number | undefined => {
    const value = params.get(name);
    return value === undefined ? undefined : Math.min(largestSide, Math.round(Number(value) * dpr));
  };
  const [width, height] = [side('w'), side('h')];
  if (width === undefined && height === undefined) return picture;
  const crop = params.get('c') ?? 'scale';
  return picture.resize({
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    fit: fits[crop] ?? 'fill',
    withoutEnlargement: crop === 'limit',
  });
}

const automaticQuality = 80;

/** What f_auto chooses: WebP where the caller says it reads it, else what the picture is. */
function chooseFormat(wanted: string | undefined, original: string, accept: string): Format {
  const plain = (original in formats ? original : 'png') as Format;
  if (wanted === 'auto') return accept.includes('image/webp') ? 'webp' : plain;
  return wanted !== undefined && wanted in formats ? (wanted as Format) : plain;
}

export interface Wish {
  components: ReadonlyMap<string, string>[];
  /** Of the asset as it was uploaded. */
  original: string;
  /** The extension in the link, when it has one; f_ in a component wins. */
  extension?: string;
  accept?: string;
}

/** The format that the answer will have. */
export function formatOf({ components, original, extension, accept = '' }: Wish): Format {
  const wanted = components.map((params) => params.get('f')).findLast((format) => format !== undefined);
  return chooseFormat(wanted ?? extension, original, accept);
}

export async function transform(bytes: Buffer, wish: Wish): Promise<Buffer> {
  let current = bytes;
  for (const params of wish.components.slice(0, -1))
    current = await resize(sharp(current), params).toBuffer();
  const last = wish.components.at(-1) ?? new Map<string, string>();
  const quality = Number(last.get('q') ?? automaticQuality) || automaticQuality;
  return resize(sharp(current), last).toFormat(formats[formatOf(wish)], { quality }).toBuffer();
}
