// What the adapters of HTTP make of answers that no API should give: redirects, statuses that do not exist, refusals that would
// fill the memory. Each real SDK against a server of this test.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Call, Charge } from '../../shared/call.ts';
import { createCloudinary } from '../../providers/cloudinary.ts';
import { createDeepgram } from '../../providers/deepgram.ts';
import { createElevenLabs } from '../../providers/elevenlabs.ts';
import { createGemini } from '../../providers/gemini.ts';
import { createGuard } from '../../providers/guard.ts';
import { failureOf } from './providers-rig.ts';

interface Host {
  url: string;
  asked: number;
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  close: () => void;
}

async function openHost(): Promise<Host> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      host.asked += 1;
      host.answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host: Host = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: 0,
    answer: (response) => response.writeHead(400).end('{}'),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return host;
}

let vendor: Host;
let stranger: Host;

beforeAll(async () => {
  [vendor, stranger] = await Promise.all([openHost(), openHost()]);
});
afterAll(() => {
  vendor.close();
  stranger.close();
});

let tries = 0;
const guard = createGuard({
  provider: 'odd',
  breaker: false,
  timings: { retryBaseMs: 2, retryCapMs: 4, graceMs: 2_000 },
  emit: (name) => {
    if (name === 'provider.called') tries += 1;
  },
});
afterAll(() => guard.close());

const common = () => ({ apiKey: 'key', baseUrl: vendor.url, guard, deadlineMs: 20_000 });
const voiceId = 'v';
const bytes = new Uint8Array(2_000);

const calls: Record<string, (call: Call) => Promise<unknown>> = {
  gemini: (call) =>
    createGemini({
      ...common(),
      guards: { text: guard, pictures: guard },
      storyModel: 'm',
      imageModel: 'm',
    }).writeStory({ childName: 'Mia', age: 5, theme: 'sea', language: 'en', pages: 3 }, call),
  elevenlabs: (call) =>
    createElevenLabs({ ...common(), model: 'eleven_multilingual_v2', defaultVoiceId: voiceId }).speak(
      { text: 'Hello Mia', voiceId, language: 'en' },
      call,
    ),
  deepgram: (call) =>
    createDeepgram({ ...common(), model: 'nova-3' }).transcribe(
      { bytes, contentType: 'audio/mpeg', language: 'en' },
      call,
    ),
  'deepgram-speak': (call) =>
    createDeepgram({ ...common(), model: 'nova-3' }).speak({ text: 'Hello Mia', voice: 'aura-2-en' }, call),
  cloudinary: (call) =>
    createCloudinary({ ...common(), cloud: 'c', key: 'k', secret: 's' }).upload(
      { bytes, publicId: 'a', type: 'raw', contentType: 'text/vtt' },
      call,
    ),
};

/** What came of one call: its failure, how often the vendor was asked for each try, how often it was charged. */
async function outcomeOf(name: string) {
  const charges: Charge[] = [];
  tries = 0;
  vendor.asked = 0;
  const call: Call = {
    step: 'job:odd',
    signal: new AbortController().signal,
    afford: () => Promise.resolve(),
    charge: (charge) => void charges.push(charge),
  };
  const { code, status } = await failureOf(calls[name]?.(call) ?? Promise.resolve());
  return { name, code, status, perTry: vendor.asked / tries, charges: charges.length };
}

async function outcomes() {
  const seen = [];
  for (const name of Object.keys(calls)) seen.push(await outcomeOf(name));
  return seen;
}

function refused(code: string, status: number) {
  return Object.keys(calls).map((name) => ({ name, code, status, perTry: 1, charges: 0 }));
}

test('a redirect takes neither key nor words to another host, and a loop asks once', async () => {
  vendor.answer = (response) => response.writeHead(307, { location: `${stranger.url}/elsewhere` }).end();
  expect(await outcomes()).toEqual(refused('unavailable', 307));
  expect(stranger.asked).toBe(0);
  vendor.answer = (response, { url = '/' }) => response.writeHead(307, { location: url }).end('more');
  expect(await outcomes()).toEqual(refused('unavailable', 307));
});

test.each([304, 600, 999])('the status %i is an outage and no bug of ours', async (status) => {
  vendor.answer = (response) => response.writeHead(status).end();
  expect(await outcomes()).toEqual(refused('unavailable', status));
});

test.each([
  ['nested deeply', `${'['.repeat(15_000)}${'0,'.repeat(7_000)}0${']'.repeat(15_000)}`],
  ['longer than any refusal', 'x'.repeat(3_000_000)],
  ['no JSON', '<html></html>'],
])('a refusal that is %s is judged by its status', async (_, body) => {
  vendor.answer = (response) => response.writeHead(500, { 'content-type': 'application/json' }).end(body);
  expect(await outcomes()).toEqual(refused('unavailable', 500));
  vendor.answer = (response) => response.writeHead(400, { 'content-type': 'application/json' }).end(body);
  expect(await outcomes()).toEqual(refused('bad_input', 400));
});

test('headers without an end leave every call unknown', async () => {
  vendor.answer = ({ socket }) => socket?.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`);
  const unknown = { code: 'unknown_outcome', status: undefined };
  expect(await outcomes()).toEqual(refused('unavailable', 0).map((one) => ({ ...one, ...unknown })));
});
