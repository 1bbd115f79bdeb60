// Cloudinary's account, rejections and links.
import { expect, test } from '@jest/globals';
import {
  assetOf,
  diagnoseCloudinary,
  parseCloudinaryUrl,
  readAnswer,
} from '../../providers/cloudinary-wire.ts';

test('an account is read from its URL', () => {
  expect(parseCloudinaryUrl('cloudinary://12:a%2Bb@demo')).toEqual({
    cloud: 'demo',
    key: '12',
    secret: 'a+b',
  });
});

test('the three shapes of a rejection come to one code', () => {
  const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const cases: [unknown, string | undefined][] = [
    [{ message: 'x', name: 'Error', http_code: 400 }, 'bad_input'],
    [{ message: 'Invalid Signature', http_code: 401 }, 'auth'],
    [{ message: 'Rate Limit Exceeded', http_code: 420 }, 'rate_limited'],
    [{ message: 'Server returned unexpected status code - 503', http_code: 503 }, 'unavailable'],
    [{ message: 'Server returned unexpected status code - 423', http_code: 423 }, 'unavailable'],
    [{ message: 'Your plan storage limit was exceeded', http_code: 400 }, 'quota_exhausted'],
    [{ error: { message: 'Request Timeout', http_code: 499, name: 'TimeoutError' } }, 'unknown_outcome'],
    [{ error: reset }, 'unknown_outcome'],
    [{ error: { message: 'bad', http_code: 404 }, request_options: { auth: 'key:secret' } }, 'bad_input'],
    ['text', undefined],
  ];
  expect(cases.map(([rejection]) => diagnoseCloudinary(rejection, true)?.code)).toEqual(
    cases.map(([, code]) => code),
  );
  const spent = {
    message: 'Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2099-01-01 00:00:00 UTC',
  };
  const diagnosed = diagnoseCloudinary({ ...spent, http_code: 420 }, true);
  expect(diagnosed?.code).toBe('quota_exhausted');
  expect(diagnosed?.retryAfterMs).toBeGreaterThan(1e12);
  expect(diagnoseCloudinary({ error: reset }, false)?.code).toBe('unavailable');
});

test('a file that is too large for the plan is its own fault and closes nothing for others', () => {
  const message =
    'File size too large. Got 12503874. Maximum is 10485760. Upgrade your plan to enjoy higher limits https://example.com';
  expect(diagnoseCloudinary({ message, http_code: 400 }, true)?.code).toBe('bad_input');
});

test('a message that is no text leaves the status to decide', () => {
  expect(diagnoseCloudinary({ message: { toString: 1 }, http_code: 400 }, true)?.code).toBe('bad_input');
});

test('a long message is judged at once', async () => {
  const message = 'plan '.repeat(120_000);
  expect(diagnoseCloudinary({ message, http_code: 400 }, true)?.code).toBe('bad_input');
  await new Promise((resolve) => setTimeout(resolve)); // where Jest sees that its limit has passed
});

test('the link of a picture lets the browser choose its format; that of sound is plain', () => {
  const answer = readAnswer({
    public_id: 'stories/1/cover',
    version: 7,
    bytes: 10,
    width: 4,
    height: 3,
    secure_url: 'https://res.cloudinary.com/demo/image/upload/v7/stories/1/cover.png',
    eager: [
      {
        secure_url: 'https://res.cloudinary.com/demo/image/upload/c_limit,w_2/v7/stories/1/cover.png',
        width: 2,
      },
    ],
  });
  if (answer === undefined) throw new Error('the answer was not read');
  const upload = {
    bytes: new Uint8Array(10),
    publicId: 'stories/1/cover',
    contentType: 'image/png',
    widths: [2],
  };
  expect(assetOf(answer, { ...upload, type: 'image' })).toMatchObject({
    url: 'https://res.cloudinary.com/demo/image/upload/f_auto,q_auto/v7/stories/1/cover.png',
    variants: [{ width: 2 }],
  });
  expect(assetOf(answer, { ...upload, type: 'raw', widths: [] })).toMatchObject({
    url: answer.secure_url,
    variants: [],
  });
});
