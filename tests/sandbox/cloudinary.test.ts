import { Agent } from 'node:http';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { test, expect } from '@jest/globals';
import { v2 as cloudinary, type UploadApiOptions, type UploadApiResponse } from 'cloudinary';
import sharp from 'sharp';
import { sign } from '../../sandbox/cloudinary-signature.ts';
import { speak } from '../../sandbox/mp3-speak.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { shapeOf } from './golden.ts';
import { playGolden } from './golden-play.ts';
import { openSandbox, readBill, sandboxKeys, setFault, withSandbox } from './world.ts';

const { cloud, key, secret } = sandboxKeys.cloudinary;
const basic = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;
const golden = JSON.parse(readFileSync(new URL('golden/cloudinary.json', import.meta.url), 'utf8')) as {
  signatures: { secret: string; fields: Record<string, string>; sha1: string }[];
  uploaded: unknown;
};

const account = (sandbox: Sandbox): UploadApiOptions => ({
  cloud_name: cloud,
  api_key: key,
  api_secret: secret,
  upload_prefix: `${sandbox.url}/cloudinary`,
  agent: new Agent(),
});

function upload(sandbox: Sandbox, bytes: Buffer, options: UploadApiOptions = {}): Promise<UploadApiResponse> {
  return new Promise((resolve, reject) => {
    const stream = cloudinary.uploader.upload_stream({ ...account(sandbox), ...options }, (error, result) => {
      if (result) resolve(result);
      else reject(Object.assign(new Error('refused'), error));
    });
    Readable.from([bytes]).pipe(stream);
  });
}

const picture = (color: string, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> =>
  sharp({ create: { width: 1024, height: 768, channels: 3, background: color } })
    .toFormat(format)
    .toBuffer();

const sizeOf = async (url: string): Promise<[number, number, string]> => {
  const { width, height, format } = await sharp(
    Buffer.from(await (await fetch(url)).arrayBuffer()),
  ).metadata();
  return [width, height, format];
};

test('every golden exchange is answered as the vendor answers it', () =>
  withSandbox(async (sandbox) => {
    for (const { name, got, wanted } of await playGolden(sandbox, 'cloudinary', basic)) {
      expect([name, ...got]).toEqual([name, ...wanted]);
    }
  }));

test("the vendor's worked examples of a signature come out", () => {
  for (const { secret: words, fields, sha1 } of golden.signatures) {
    expect(sign(new Map(Object.entries(fields)), words, 'sha1')).toBe(sha1);
  }
});

test('a signed picture is kept, described, made in the sizes asked for, billed once, and opens', () =>
  withSandbox(async (sandbox) => {
    const result = await upload(sandbox, await picture('red'), {
      public_id: 'stories/42/cover',
      context: { alt: 'Salt & pepper' },
      signature_algorithm: 'sha256',
      eager: [
        { width: 400, height: 300, crop: 'fill', fetch_format: 'webp' },
        { width: 800, crop: 'limit' },
      ],
      extra_headers: { 'x-storytime-step': 'job-1:upload' },
    });
    expect(result).toMatchObject({ public_id: 'stories/42/cover', format: 'png', width: 1024, height: 768 });
    expect(shapeOf(result)).toEqual(shapeOf(golden.uploaded));
    const eager = result['eager'] as { secure_url: string }[];
    expect(await Promise.all(eager.map(({ secure_url }) => sizeOf(secure_url)))).toEqual([
      [400, 300, 'webp'],
      [800, 600, 'png'],
    ]);
    expect(await sizeOf(result.secure_url)).toEqual([1024, 768, 'png']);
    expect(await readBill(sandbox)).toMatchObject([
      {
        operation: 'upload',
        step: 'job-1:upload',
        units: { uploads: 1, bytes: result.bytes, transformations: 2 },
      },
    ]);
  }));

test('a link may ask for a width and a format, never enlarges by c_limit, and a wrong one is refused', () =>
  withSandbox(async (sandbox) => {
    await upload(sandbox, await picture('blue'), { public_id: 'sky' });
    const base = `${sandbox.url}/cloudinary/${cloud}/image/upload`;
    expect(await sizeOf(`${base}/c_limit,f_auto,q_auto,w_500/v1/sky.png`)).toEqual([500, 375, 'png']);
    expect(await sizeOf(`${base}/c_limit,w_5000/sky.jpg`)).toEqual([1024, 768, 'jpeg']);
    const headers = { accept: 'image/webp,*/*' };
    const asked = await fetch(`${base}/f_auto/v1/sky`, { headers });
    expect(asked.headers.get('content-type')).toBe('image/webp');
    const wrong = await fetch(`${base}/w_0/v1/sky`);
    expect([wrong.status, wrong.headers.get('x-cld-error')]).toEqual([
      404,
      'Resource not found - w_0/v1/sky',
    ]);
  }));

test('a repeat upload replaces the picture under a higher version, and overwrite: false leaves it alone', () =>
  withSandbox(async (sandbox) => {
    const first = await upload(sandbox, await picture('red'), { public_id: 'one' });
    const second = await upload(sandbox, await picture('green', 'jpeg'), { public_id: 'one' });
    expect(second.version).toBeGreaterThan(first.version);
    const third = await upload(sandbox, await picture('blue'), { public_id: 'one', overwrite: false });
    expect(third).toMatchObject({ existing: true, version: second.version, etag: second.etag });
    expect(await readBill(sandbox)).toHaveLength(2);
    expect(await cloudinary.uploader.destroy('one', account(sandbox))).toEqual({ result: 'ok' });
    expect(await cloudinary.uploader.destroy('one', account(sandbox))).toEqual({ result: 'not found' });
    expect((await fetch(first.secure_url)).status).toBe(404);
  }));

test('narration and captions open after a restart, can be sought in, and are never run as a page', async () => {
  const first = await openSandbox();
  const sound = speak('Once there was a moon.', { kbps: 64, pitchHz: 200 });
  const audio = await upload(first, sound, { public_id: 'stories/42/voice', resource_type: 'video' });
  expect(audio).toMatchObject({ format: 'mp3', is_audio: true, duration: expect.closeTo(2, 1) });
  const captions = await upload(first, Buffer.from('WEBVTT\n'), {
    public_id: 'stories/42/voice.vtt',
    resource_type: 'raw',
  });
  await first.close();
  const second = await openSandbox(first.dataDir);
  try {
    const moved = (url: string): string => url.replace(first.url, second.url);
    const part = await fetch(moved(audio.secure_url), { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${sound.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(sound.subarray(10, 20))).toBe(true);
    const text = await fetch(moved(captions.secure_url));
    expect([text.headers.get('content-type'), await text.text()]).toEqual([
      'text/vtt; charset=utf-8',
      'WEBVTT\n',
    ]);
    expect(text.headers.get('content-security-policy')).toContain('sandbox');
    expect((await fetch(moved(audio.secure_url), { headers: { range: 'bytes=9999999-' } })).status).toBe(416);
  } finally {
    await second.close();
  }
});

test('a file sent in parts is put together, and parts that are too small or out of order are refused', () =>
  withSandbox(async (sandbox) => {
    const bytes = Buffer.alloc(7_000_000, 'moon');
    const send = (chunkSize: number): Promise<UploadApiResponse> =>
      new Promise((resolve, reject) => {
        const options = {
          ...account(sandbox),
          public_id: 'big.txt',
          resource_type: 'raw' as const,
          chunk_size: chunkSize,
        };
        const stream = cloudinary.uploader.upload_chunked_stream(options, (error, result) => {
          if (result) resolve(result);
          else reject(new Error(error?.message));
        });
        Readable.from([bytes.subarray(0, 3_000_000), bytes.subarray(3_000_000)]).pipe(stream);
      });
    const result = await send(6_000_000);
    expect(Buffer.from(await (await fetch(result.secure_url)).arrayBuffer()).equals(bytes)).toBe(true);
    await expect(send(3_000_000)).rejects.toThrow('All parts except EOF-chunk must be larger than 5mb');
    expect(await readBill(sandbox)).toHaveLength(1);
  }));

test('what is broken, too large, wrongly signed or asked for too often gets the vendor’s refusal and is not billed', () =>
  withSandbox(async (sandbox) => {
    const whole = await picture('red');
    await expect(upload(sandbox, whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      http_code: 400,
      message: 'Invalid image file',
    });
    await expect(upload(sandbox, Buffer.alloc(10_485_761), { resource_type: 'raw' })).rejects.toMatchObject({
      http_code: 400,
    });
    await expect(upload(sandbox, whole, { api_secret: 'wrong' })).rejects.toMatchObject({ http_code: 401 });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const odd = new URLSearchParams({ api_key: key, timestamp, signature: `${'a'.repeat(39)}é` });
    const url = `${sandbox.url}/cloudinary/v1_1/${cloud}/image/upload`;
    expect((await fetch(url, { method: 'POST', body: odd })).status).toBe(401);
    await setFault(sandbox, {
      provider: 'cloudinary',
      operation: 'upload',
      times: 1,
      fault: { kind: 'quota' },
    });
    await expect(upload(sandbox, whole)).rejects.toMatchObject({ http_code: 420 });
    expect(await readBill(sandbox)).toEqual([]);
    expect(await cloudinary.api.ping(account(sandbox))).toMatchObject({
      status: 'ok',
      rate_limit_allowed: 500,
    });
  }));
