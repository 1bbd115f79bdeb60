// Stands in for Cloudinary: signed uploads (whole or in parts), eager pictures, destroy, ping, and delivery of what was kept.
// Wire format: cloudinary 2.11.0 on the wire and the vendor's documents; tests/sandbox/golden/cloudinary.json holds samples.
import { deliverFrom } from './cloudinary-delivery.ts';
import { refuse } from './cloudinary-signature.ts';
import { destroyIn, uploadTo } from './cloudinary-upload.ts';
import type { Fault } from './faults.ts';
import type { Answer, Emulator, Route, World } from './frame.ts';
import { openUploads } from './uploads.ts';

const hourlyLimit = 500;
const hourMs = 3_600_000;

const nextHour = (): string => new Date(Math.ceil(Date.now() / hourMs) * hourMs).toISOString();

function ping(world: World): Route['accept'] {
  return (req) => {
    const { cloud, key, secret } = world.keys.cloudinary;
    const basic = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;
    if (req.params[0] !== cloud) return refuse(401, 'cloud_name mismatch');
    if (req.headers.authorization !== basic) return refuse(401, 'Invalid credentials');
    const headers = {
      'x-featureratelimit-limit': String(hourlyLimit),
      'x-featureratelimit-remaining': String(hourlyLimit - 1),
      'x-featureratelimit-reset': new Date(nextHour()).toUTCString(),
    };
    return { status: 200, headers, body: { status: 'ok' } };
  };
}

const messages: Record<number, string> = {
  401: 'Invalid Signature',
  403: 'Your account is disabled',
  420: 'Too many concurrent upload_api requests. Please try again later',
  429: 'Too many requests',
};

function faultAnswer(fault: Fault): Answer | undefined {
  if (fault.kind === 'quota') {
    const message = `Rate Limit Exceeded. Limit of ${hourlyLimit} api operations reached. Try again on ${nextHour()} UTC`;
    return refuse(420, message);
  }
  if (fault.kind !== 'status' || fault.body !== undefined) return undefined;
  const answer = refuse(fault.status, messages[fault.status] ?? 'General Error');
  return { ...answer, ...(fault.headers ? { headers: fault.headers } : {}) };
}

export function cloudinaryEmulator(world: World): Emulator {
  const uploads = openUploads(world.dataDir);
  const routes: Route[] = [
    {
      method: 'POST',
      pattern: /^\/v1_1\/([^/]+)\/(image|video|raw|auto)\/upload$/,
      operation: 'upload',
      accept: uploadTo(world, uploads),
    },
    {
      method: 'POST',
      pattern: /^\/v1_1\/([^/]+)\/(image|video|raw)\/destroy$/,
      operation: 'destroy',
      accept: destroyIn(world, uploads),
    },
    { method: 'GET', pattern: '/v1_1/:cloud/ping', operation: 'ping', accept: ping(world) },
    {
      method: 'GET',
      pattern: /^\/([^/]+)\/(image|video|raw)\/upload\/(.+)$/,
      operation: 'delivery',
      accept: deliverFrom(world.keys.cloudinary.cloud, uploads),
    },
  ];
  return {
    provider: 'cloudinary',
    prefix: '/cloudinary',
    routes,
    notFound: (req) => refuse(404, `Invalid resource path ${req.path}`),
    faultAnswer,
  };
}
