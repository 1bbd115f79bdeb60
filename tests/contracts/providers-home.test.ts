// With STORYTIME_SANDBOX=on no call leaves this machine, whatever keys and addresses the environment holds.
// Watched below every SDK: each TCP connection and each name that is looked up.
import { createHook } from 'node:async_hooks';
import { isIP } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../shared/config.ts';
import { createProviders } from '../../providers/create.ts';
import { failureOf, openRig, type Rig } from './providers-rig.ts';

const evil = 'https://keys.example.com';
const traps: Record<string, string> = {
  GOOGLE_API_KEY: 'AIza-another-key',
  GOOGLE_GEMINI_BASE_URL: evil,
  GOOGLE_VERTEX_BASE_URL: evil,
  GOOGLE_GENAI_USE_VERTEXAI: 'true',
  GOOGLE_GENAI_USE_ENTERPRISE: 'true',
  GOOGLE_CLOUD_PROJECT: 'project',
  GOOGLE_CLOUD_LOCATION: 'europe-west1',
  ELEVENLABS_API_KEY: 'xi-real-looking-key',
  DEEPGRAM_API_KEY: 'dg-real-looking-key',
  DEEPGRAM_ACCESS_TOKEN: 'dg-token',
  CLOUDINARY_URL: 'cloudinary://123:secret@real?upload_prefix=https%3A%2F%2Fkeys.example.com&oauth_token=t',
  SMTP_URL: 'smtps://user:password@mail.example.com',
};

const requests: { address?: string; hostname?: string }[] = [];
const hook = createHook({
  init(_id, type, _trigger, resource) {
    if (type === 'TCPCONNECTWRAP' || type === 'GETADDRINFOREQWRAP') requests.push(resource);
  },
});
let rig: Rig;

beforeAll(async () => {
  Object.assign(process.env, traps);
  rig = await openRig('home');
  hook.enable();
});
afterAll(async () => {
  hook.disable();
  for (const name of Object.keys(traps)) Reflect.deleteProperty(process.env, name);
  await rig.close();
});

/** Connections to anywhere but this machine, and names that are no addresses of it. */
function strangers(): string[] {
  return requests
    .map(({ address, hostname }) => address ?? hostname ?? '')
    .filter(
      (host) => !(host === '::1' || host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'))),
    );
}

test('keys and addresses in the environment are ignored by every SDK', async () => {
  const config = loadConfig({
    ...traps,
    GEMINI_API_KEY: 'AIza-real-looking-key',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_SANDBOX_URL: rig.sandbox.url,
    STORYTIME_SANDBOX_SMTP_URL: rig.sandbox.smtpUrl,
  });
  const providers = createProviders(config, { emit: () => undefined });
  const { signal } = new AbortController();
  const bytes = Buffer.from('WEBVTT\n');
  await providers.gemini.writeStory(
    { childName: 'Mia', age: 5, theme: 'sea', language: 'en', pages: 3 },
    rig.call('home:write'),
  );
  const voiceId = providers.elevenlabs.defaultVoiceId;
  const speech = await providers.elevenlabs.speak(
    { text: 'Hello Mia.', voiceId, language: 'en' },
    rig.call('home:speak'),
  );
  await providers.deepgram.transcribe(
    { bytes: speech.audio, contentType: 'audio/mpeg', language: 'en' },
    rig.call('home:hear'),
  );
  await providers.cloudinary.upload(
    { bytes, publicId: 'home/captions.vtt', type: 'raw', contentType: 'text/vtt' },
    rig.call('home:keep'),
  );
  await providers.smtp.send(
    { to: 'mia@example.test', subject: 'Hi', html: '<p>Hi</p>', text: 'Hi', messageId: 'home@example.test' },
    rig.call('home:mail'),
  );
  const { gemini, elevenlabs, deepgram, cloudinary, smtp } = providers;
  for (const one of [gemini, elevenlabs, deepgram, cloudinary, smtp]) await one.ping(signal);
  await providers.close();
  expect(requests.length).toBeGreaterThanOrEqual(5);
  expect(strangers()).toEqual([]);
});

test('the watch would see a call that leaves', async () => {
  const seen = requests.length;
  await fetch('http://nowhere.invalid/').catch(() => undefined);
  expect(strangers().length).toBe(1);
  requests.length = seen;
});

test('a stopped provider refuses further calls', async () => {
  const config = loadConfig({ STORYTIME_SANDBOX: 'on', STORYTIME_SANDBOX_URL: rig.sandbox.url });
  const providers = createProviders(config, { emit: () => undefined });
  await providers.close();
  const drawn = providers.gemini.drawPicture({ scene: 'x', artDirection: 'y' }, rig.call('home:late'));
  expect(await failureOf(drawn)).toMatchObject({ code: 'unavailable', breakerOpen: true });
});
