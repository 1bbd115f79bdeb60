// The golden requests hold both sides: tests/sandbox plays them to the sandbox, here every adapter's own request is compared with
// the one of the same operation. The two could otherwise agree with each other and not with the vendor.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../shared/config.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { createProviders } from '../../providers/create.ts';
import { readGolden, shapeOf, type Exchange } from '../sandbox/golden.ts';
import { openLineRecorder, openRecorder, type Asked, type Recorder } from './providers-recorder.ts';
import { openRig, type Rig } from './providers-rig.ts';

let rig: Rig;
let recorder: Recorder;
let providers: ReturnType<typeof createProviders>;
beforeAll(async () => {
  rig = await openRig('golden');
  recorder = await openRecorder(rig.sandbox.url);
  const config = loadConfig({ STORYTIME_SANDBOX: 'on', STORYTIME_SANDBOX_URL: recorder.url });
  providers = createProviders(config, { emit: () => undefined });
});
afterAll(async () => {
  await providers.close();
  await recorder.close();
  await rig.close();
});

const same = { missing: [], added: [] };
const { cloud, key, secret } = sandboxKeys.cloudinary;
const keys: Readonly<Record<string, string>> = {
  gemini: sandboxKeys.gemini,
  elevenlabs: sandboxKeys.elevenlabs,
  deepgram: sandboxKeys.deepgram,
  cloudinary: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
};

type Golden = Exchange['request'] & { bytes?: string; form?: Record<string, string> };

function goldenOf(provider: string, name: string): Golden {
  const found = readGolden(provider).find((exchange) => exchange.name === name);
  if (found === undefined) throw new Error(`${provider} has no golden exchange ${name}`);
  return found.request;
}

/** `body.contents[].parts[].text string`: every value of a body by its place and type. */
function places(shape: unknown, at = 'body'): string[] {
  if (Array.isArray(shape)) return shape.flatMap((inside) => places(inside, `${at}[]`));
  if (typeof shape !== 'object' || shape === null) return [`${at} ${String(shape)}`];
  return Object.entries(shape).flatMap(([name, inside]) => places(inside, `${at}.${name}`));
}

function placesAsked({ headers, body }: Asked): string[] {
  if (body.length === 0) return [];
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/json')) return places(shapeOf(JSON.parse(body.toString())));
  if (type.startsWith('multipart/form-data'))
    return [...body.toString('latin1').matchAll(/; name="([^"]+)"/g)].map(([, name]) => `form.${name}`);
  return ['bytes'];
}

function placesOf({ body, bytes, form }: Golden): string[] {
  if (form !== undefined) return Object.keys(form).map((name) => `form.${name}`);
  if (bytes !== undefined) return ['bytes'];
  return body === undefined ? [] : places(shapeOf(body));
}

/**
 * What the golden request has and ours lacks, and the other way round: options of the vendor, each of them named by its test, so
 * that none comes or goes unseen. Method, path and headers are to be equal.
 */
function compare(provider: string, name: string): { missing: string[]; added: string[] } {
  const [asked, ...more] = recorder.asked();
  if (asked === undefined || more.length > 0) throw new Error(`${more.length + 1} requests, not one`);
  const golden = goldenOf(provider, name);
  const wanted = new URL(`/${provider}${golden.path.replace('<cloud>', cloud)}`, recorder.url);
  expect([asked.method, asked.url.pathname]).toEqual([golden.method, wanted.pathname]);
  const headers = Object.entries(golden.headers).map(([header, value]) => [
    header,
    value.replace('<key>', keys[provider] ?? ''),
  ]);
  expect(asked.headers).toMatchObject(Object.fromEntries(headers));
  const ours = [...asked.url.searchParams].map((pair) => pair.join('=')).concat(placesAsked(asked));
  const theirs = [...wanted.searchParams].map((pair) => pair.join('=')).concat(placesOf(golden));
  return {
    missing: theirs.filter((place) => !ours.includes(place)),
    added: ours.filter((place) => !theirs.includes(place)),
  };
}

test('Gemini is asked for a story and a picture as its document says', async () => {
  const brief = { childName: 'Nora', age: 6, theme: 'a boat', language: 'en', pages: 3 };
  await providers.gemini.writeStory(brief, rig.call('golden:write'));
  expect(compare('gemini', 'a story as JSON')).toEqual({
    missing: ['body.generationConfig.thinkingConfig.thinkingLevel string'],
    added: [
      'body.generationConfig.responseJsonSchema.properties.artDirection.type string',
      'body.generationConfig.responseJsonSchema.propertyOrdering[] string',
    ],
  });
  await providers.gemini.drawPicture({ scene: 'A cat', artDirection: 'Ink' }, rig.call('golden:draw'));
  expect(compare('gemini', 'a picture')).toEqual({
    missing: [],
    added: ['body.safetySettings[].category string', 'body.safetySettings[].threshold string'],
  });
  await providers.gemini.ping(new AbortController().signal);
  expect(compare('gemini', 'a model')).toEqual(same);
});

test('ElevenLabs and Deepgram are asked for speech, and Deepgram to listen, as their documents say', async () => {
  const spoken = { text: 'Hi there.', voiceId: '21m00Tcm4TlvDq8ikWAM', language: 'en' };
  const { audio } = await providers.elevenlabs.speak(spoken, rig.call('golden:speak'));
  expect(compare('elevenlabs', 'speech with timestamps')).toEqual({
    missing: [
      'body.voice_settings.stability number',
      'body.voice_settings.similarity_boost number',
      'body.seed number',
      'body.previous_request_ids[] string',
    ],
    added: [],
  });
  const voice = 'aura-2-thalia-en';
  await providers.deepgram.speak({ text: 'Hi.', voice }, rig.call('golden:stand-in'));
  expect(compare('deepgram', 'a text over the limit of speech')).toEqual(same);
  const heard = { bytes: audio, contentType: 'audio/mpeg', language: 'en' };
  await providers.deepgram.transcribe(heard, rig.call('golden:hear'));
  expect(compare('deepgram', 'bytes that are not audio')).toEqual({
    missing: [],
    added: ['language=en', 'punctuate=true'],
  });
  await providers.deepgram.ping(new AbortController().signal);
  expect(compare('deepgram', 'the projects')).toEqual(same);
});

test('Cloudinary is given a file as its document says', async () => {
  const type = 'image' as const;
  const bytes = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
  const upload = { bytes, publicId: 'golden/1', type, contentType: 'image/gif' };
  await providers.cloudinary.upload(upload, rig.call('golden:keep'));
  expect(compare('cloudinary', 'a signature that does not fit')).toEqual({
    missing: [],
    added: ['form.overwrite', 'form.unique_filename', 'form.use_filename'],
  });
  await providers.cloudinary.ping(new AbortController().signal);
  expect(compare('cloudinary', 'a ping')).toEqual(same);
});

/** The command of a line; nothing for what is none. The connection is kept, so QUIT is not waited for. */
const command = (line: string): string[] =>
  /^(?:EHLO|AUTH PLAIN|MAIL FROM:<|RCPT TO:<|DATA$)/.exec(line)?.slice(0, 1) ?? [];

test('a mail goes to the server by the commands of the standards', async () => {
  const text = readFileSync(new URL('../sandbox/golden/smtp.json', import.meta.url), 'utf8');
  const { talks } = JSON.parse(text) as { talks: { name: string; lines: { send?: string }[] }[] };
  const golden = talks.find(({ name }) => name === 'an accepted mail')?.lines ?? [];
  const recorded = await openLineRecorder(rig.sandbox.smtpUrl);
  const config = loadConfig({ STORYTIME_SANDBOX: 'on', STORYTIME_SANDBOX_SMTP_URL: recorded.url });
  const { smtp, close } = createProviders(config, { emit: () => undefined });
  const mail = { to: 'mia@example.test', subject: 'Hi', html: '<p>Hi</p>', text: 'Hi' };
  try {
    await smtp.send({ ...mail, messageId: 'golden@example.test' }, rig.call('golden:mail'));
  } finally {
    await close();
    await recorded.close();
  }
  const wanted = golden.flatMap(({ send = '' }) => command(send));
  expect(recorded.lines().flatMap(command)).toEqual(wanted);
});
