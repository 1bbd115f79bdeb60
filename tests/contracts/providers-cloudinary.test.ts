// Cloudinary's adapter with the real SDK against the sandbox: signed uploads that open, parts, refusals, and the bill.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { createCloudinary, type CloudinaryOptions } from '../../providers/cloudinary.ts';
import { expectCharged, expectErrors, failureOf, openRig, type Rig } from './providers-rig.ts';

let rig: Rig;
let picture: Uint8Array;
const captions = {
  bytes: Buffer.from('WEBVTT\n\n00:00.000 --> 00:01.000\nHello & goodbye\n'),
  publicId: 'stories/1/captions.vtt',
  type: 'raw' as const,
  contentType: 'text/vtt',
};
const units = { upload: 'uploads', byte: 'bytes' };

function cloudinary(more: Partial<CloudinaryOptions> = {}) {
  const baseUrl = `${rig.sandbox.url}/cloudinary`;
  return createCloudinary({
    ...sandboxKeys.cloudinary,
    baseUrl,
    guard: rig.guard,
    deadlineMs: 10_000,
    ...more,
  });
}

async function open(url: string, accept = 'image/webp,*/*'): Promise<{ type: string | null; bytes: Buffer }> {
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
}

beforeAll(async () => {
  rig = await openRig('cloudinary');
  picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c06030' } })
    .png()
    .toBuffer();
});
afterAll(() => rig.close());

test('a picture opens in the format that the browser likes, and its variants are made at once', async () => {
  const call = rig.call('job-1:page-1');
  const upload = {
    bytes: picture,
    publicId: 'stories/1/page-1',
    type: 'image' as const,
    contentType: 'image/png',
  };
  const asset = await cloudinary().upload({ ...upload, widths: [16, 32] }, call);
  expect(asset).toMatchObject({ publicId: 'stories/1/page-1', width: 64, height: 48, bytes: picture.length });
  expect((await open(asset.url)).type).toBe('image/webp');
  expect(asset.variants.map(({ width }) => width)).toEqual([16, 32]);
  for (const { width, url } of asset.variants) {
    expect((await sharp((await open(url)).bytes).metadata()).width).toBe(width);
  }
  await expectCharged(rig, call, { ...units, transformation: 'transformations' });
});

test('captions come back byte by byte, and a second upload replaces the first', async () => {
  const call = rig.call('job-1:captions');
  const first = await cloudinary().upload(captions, call);
  expect((await open(first.url)).bytes.equals(captions.bytes)).toBe(true);
  const bytes = Buffer.from('WEBVTT\n');
  const second = await cloudinary().upload({ ...captions, bytes }, rig.call('job-1:captions-again'));
  expect(second.publicId).toBe(first.publicId);
  expect((await open(second.url)).bytes.equals(bytes)).toBe(true);
  await expectCharged(rig, call, units);
});

test('more than 20 MB goes in parts and comes back whole', async () => {
  const bytes = Buffer.alloc(417 * 52_000);
  for (let at = 0; at < bytes.length; at += 417) bytes.writeUInt32BE(0xfffb9000, at);
  for (let at = 100; at < bytes.length; at += 417) bytes.writeUInt32BE(at, at);
  const call = rig.call('job-2:narration');
  const upload = {
    bytes,
    publicId: 'stories/2/narration',
    type: 'video' as const,
    contentType: 'audio/mpeg',
  };
  const asset = await cloudinary().upload(upload, call);
  expect(asset.bytes).toBe(bytes.length);
  expect((await open(asset.url)).bytes.equals(bytes)).toBe(true);
  await expectCharged(rig, call, units);
});

const unread = { message: 'API rate limit exceeded' };

test('every error has its code, is tried as often as is safe, and is billed as the vendor would', async () => {
  await expectErrors(
    rig,
    'upload',
    [
      [{ kind: 'status', status: 500 }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 503 }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 420 }, 'rate_limited', 1, 0],
      [{ kind: 'status', status: 429 }, 'rate_limited', 1, 0],
      [{ kind: 'quota' }, 'quota_exhausted', 1, 0],
      [{ kind: 'status', status: 401 }, 'auth', 1, 0],
      [{ kind: 'status', status: 400 }, 'bad_input', 1, 0],
      [{ kind: 'reset', billed: false }, 'unknown_outcome', 1, 0],
      [{ kind: 'reset', billed: true }, 'unknown_outcome', 1, 1],
      [{ kind: 'cut', afterBytes: 40 }, 'unknown_outcome', 1, 1],
      [{ kind: 'hang' }, 'unknown_outcome', 1, 0],
      [{ kind: 'stall', afterBytes: 40 }, 'unknown_outcome', 1, 1],
      [{ kind: 'garbage', body: '{"public_id":' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: 'null' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '[]' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '<html></html>' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '\u0000' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: 'x'.repeat(10_000_000) }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: `"${'x'.repeat(10_000_000)}"` }, 'bad_output', 1, 1],
      [
        {
          kind: 'garbage',
          body: JSON.stringify({ public_id: 'a', version: 1, bytes: 1, secure_url: 'javascript:alert(1)' }),
        },
        'bad_output',
        1,
        1,
      ],
      [{ kind: 'garbage', body: '{}' }, 'bad_output', 1, 1],
      // What the SDK stumbles over, or takes for a success.
      [{ kind: 'garbage', body: '{"responsive_breakpoints":{}}' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '{"responsive_breakpoints":[{"breakpoints":[]}]}' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '{"error":"text"}' }, 'bad_output', 1, 1],
      [{ kind: 'status', status: 429, body: unread }, 'rate_limited', 1, 0],
      [{ kind: 'status', status: 401, body: unread }, 'auth', 1, 0],
      [{ kind: 'status', status: 500, body: { code: 'internal' } }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 500, body: { responsive_breakpoints: {} } }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 500, body: 'x'.repeat(2_100_000) }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 400, body: { error: 'text' } }, 'bad_input', 1, 0],
      [{ kind: 'status', status: 401, body: { error: 'text' } }, 'auth', 1, 0],
    ],
    (call, deadlineMs) => cloudinary({ deadlineMs }).upload(captions, call),
  );
});

test('a part that is refused without an error refuses the whole upload', async () => {
  await rig.fault('upload', { kind: 'status', status: 429, body: unread });
  const call = rig.call('job-6:narration');
  const upload = { ...captions, bytes: Buffer.alloc(20_000_001) };
  expect(await failureOf(cloudinary().upload(upload, call))).toMatchObject({
    code: 'rate_limited',
    status: 429,
  });
  expect(call.charges).toEqual([]);
});

test('a ping whose answer the SDK cannot read fails, and one that is refused is no success', async () => {
  const { signal } = new AbortController();
  await rig.fault('ping', { kind: 'garbage', body: 'null' });
  expect(await failureOf(cloudinary().ping(signal))).toMatchObject({ code: 'bad_output' });
  await rig.fault('ping', { kind: 'status', status: 500, body: unread });
  expect(await failureOf(cloudinary().ping(signal))).toMatchObject({ code: 'unavailable' });
});

test('an upload whose answer cannot be read is charged as one upload of its bytes', async () => {
  await rig.fault('upload', { kind: 'garbage', body: '<html></html>' });
  const call = rig.call('job-5:captions');
  await failureOf(cloudinary().upload(captions, call));
  await expectCharged(rig, call, units);
});

test('a wrong secret is auth and nothing of it is in the failure; a stop ends an upload at once', async () => {
  const wrong = cloudinary({ secret: 'wrong-secret' });
  const failure = await failureOf(wrong.upload(captions, rig.call('job-3:captions')));
  expect(failure).toMatchObject({ code: 'auth', status: 401 });
  expect(JSON.stringify([failure.message, failure.cause])).not.toContain('secret');
  await rig.fault('upload', { kind: 'hang' });
  const stop = new AbortController();
  const uploading = failureOf(cloudinary().upload(captions, rig.call('job-4:captions', stop.signal)));
  await rig.faultTaken();
  stop.abort();
  expect(await uploading).toMatchObject({ code: 'cancelled' });
});

test('a ping needs the right secret and is bounded', async () => {
  await cloudinary().ping(new AbortController().signal);
  const wrong = cloudinary({ secret: 'wrong-secret' });
  expect(await failureOf(wrong.ping(new AbortController().signal))).toMatchObject({ code: 'auth' });
  await rig.fault('ping', { kind: 'hang' });
  const stop = new AbortController();
  const pinging = failureOf(cloudinary().ping(stop.signal));
  await rig.faultTaken();
  stop.abort();
  expect(await pinging).toMatchObject({ code: 'cancelled' });
});

test('an answer without an end is cut off before it fills the memory', async () => {
  await rig.fault('upload', { kind: 'garbage', body: 'x'.repeat(10_000_000) });
  const failure = await failureOf(cloudinary().upload(captions, rig.call('job-9:upload')));
  expect(failure).toMatchObject({ code: 'bad_output' });
  expect(failure.message).toContain('the answer is too large');
});
