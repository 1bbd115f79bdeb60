// The adapters with their real SDKs against a vendor whose answers have more values than a good one, or as many as the longest.
// Covers: providers/deepgram-answer.ts, providers/elevenlabs-answer.ts, providers/gemini-answer.ts
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Call, Charge } from '../../shared/call.ts';
import { createDeepgram } from '../../providers/deepgram.ts';
import { createElevenLabs } from '../../providers/elevenlabs.ts';
import { createGemini } from '../../providers/gemini.ts';
import { createGuard } from '../../providers/guard.ts';
import { failureOf } from './providers-rig.ts';

let body = '';
let baseUrl: string;
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
});
// An SDK that is loaded for seconds would otherwise find its idle connection closed, and nobody knows what became of the call.
server.keepAliveTimeout = 120_000;
const guard = createGuard({ provider: 'vendor', breaker: false, emit: () => undefined });

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  guard.close();
  server.closeAllConnections();
  server.close();
});

/** A list of so many bytes. */
function list(value: string, bytes: number): string {
  return `[${value}${`,${value}`.repeat(Math.floor((bytes - 1_000) / (value.length + 1)))}]`;
}

function open() {
  const charges: Charge[] = [];
  const call: Call = {
    step: 'job:step',
    signal: new AbortController().signal,
    afford: () => Promise.resolve(),
    charge: (charge) => void charges.push(charge),
  };
  return { call, charges };
}

/** The answer is cut off before anybody parses it, and charged once. */
async function expectCutOff(answer: string, ask: (call: Call) => Promise<unknown>): Promise<void> {
  body = answer;
  const { call, charges } = open();
  const failure = await failureOf(ask(call));
  expect(failure.code).toBe('bad_output');
  expect(failure.message).toContain(' values;');
  expect(charges).toHaveLength(1);
  expect(charges[0]?.usage[0]?.quantity).toBeGreaterThan(0);
}

const gemini = () =>
  createGemini({
    apiKey: 'key',
    baseUrl,
    storyModel: 'story',
    imageModel: 'image',
    guards: { text: guard, pictures: guard },
  });
const brief = { childName: 'Mia', age: 12, theme: 'the sea', language: 'en', pages: 12 };
const scene = { scene: 'the sea', artDirection: 'watercolour' };
const parts = (given: string): string =>
  `{"candidates":[{"content":{"parts":${given}},"finishReason":"STOP"}]}`;

test('Gemini: a swollen story or picture', async () => {
  await expectCutOff(parts(list('0', 2_000_000)), (call) => gemini().writeStory(brief, call));
  for (const value of ['0', '{}', '[]', '{"text":""}'])
    await expectCutOff(parts(list(value, 14_000_000)), (call) => gemini().drawPicture(scene, call));
});

test('Gemini: the longest story and the largest picture', async () => {
  const page = { text: 'Oh, '.repeat(999), scene: 'sea, '.repeat(399) };
  const story = { title: 'A, B', moral: 'M', artDirection: 'A', pages: brief.pages };
  const told = JSON.stringify({ ...story, pages: Array.from({ length: brief.pages }, () => page) });
  body = parts(JSON.stringify([{ text: told }]));
  expect((await gemini().writeStory(brief, open().call)).pages).toHaveLength(12);
  const png = Buffer.alloc(10_000_000);
  png.write('89504e470d0a1a0a0000000d49484452', 'hex');
  png.writeUInt32BE(1_024, 16);
  png.writeUInt32BE(768, 20);
  body = parts(JSON.stringify([{ inlineData: { mimeType: 'image/png', data: png.toString('base64') } }]));
  expect((await gemini().drawPicture(scene, open().call)).bytes).toHaveLength(10_000_000);
});

const deepgram = () => createDeepgram({ apiKey: 'key', baseUrl, model: 'nova-3', guard });
const sound = { bytes: Buffer.alloc(160_000), contentType: 'audio/mpeg', language: 'ja' };
const metadata = '{"request_id":"r1","duration":10,"channels":1}';
const channels = (given: string): string => `{"metadata":${metadata},"results":{"channels":${given}}}`;
const heard = (words: string): string =>
  channels(`[{"alternatives":[{"transcript":"Oh","words":${words}}]}]`);

const transcribe = (call: Call) => deepgram().transcribe(sound, call);

test('Deepgram: a swollen transcript', async () => {
  for (const value of ['0', '{}']) {
    await expectCutOff(heard(list(value, 8_000_000)), transcribe);
    await expectCutOff(channels(list(value, 8_000_000)), transcribe);
  }
});

test('Deepgram: as many words as the longest story may have, and words that are none', async () => {
  const word = { word: '海', start: 3_599.123, end: 3_599.456, confidence: 0.99951, punctuated_word: '海,' };
  for (const words of [JSON.stringify(Array.from({ length: 48_000 }, () => word)), list('{}', 700_000)]) {
    body = heard(words);
    const { call, charges } = open();
    expect(await transcribe(call)).toMatchObject({ text: 'Oh', durationSeconds: 10 });
    expect(charges).toMatchObject([{ requestId: 'r1' }]);
  }
});

test('Deepgram: so many faults that their report overflows the stack are charged by the seconds of the sound', async () => {
  body = channels(`[{"alternatives":${list('0', 800_000)}}]`);
  const { call, charges } = open();
  expect(await failureOf(transcribe(call))).toMatchObject({ code: 'bad_output' });
  expect(charges).toMatchObject([{ usage: [{ unit: 'second', quantity: 10 }] }]);
});

/** Frames of 128 kbit/s for so many seconds, in base64. */
function spoken(seconds: number): string {
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xfffb9000);
  return Buffer.alloc(417 * Math.ceil((seconds * 44_100) / 1_152), frame).toString('base64');
}

function speak(model: string, text: string, call: Call) {
  const voice = createElevenLabs({ apiKey: 'key', baseUrl, model, defaultVoiceId: 'mia', guard });
  return voice.speak({ text, voiceId: 'mia', language: 'en' }, call);
}

test('ElevenLabs: swollen times', async () => {
  const text = 'Oh, the sea. '.repeat(760);
  const zeros = list('0', text.length * 6_000);
  for (const [characters, times] of [
    [zeros, '[]'],
    ['[]', zeros],
  ] as const) {
    const alignment = `{"characters":${characters},"character_start_times_seconds":${times},"character_end_times_seconds":[]}`;
    await expectCutOff(`{"audio_base64":"","alignment":${alignment}}`, (call) =>
      speak('eleven_multilingual_v2', text, call),
    );
  }
});

/** A character is begun every 70 ms. */
function timesOf(said: string) {
  const characters = Array.from(said);
  const times = characters.map((_, index) => (index * 70) / 1_000);
  return { characters, character_start_times_seconds: times, character_end_times_seconds: times };
}

test('ElevenLabs: the longest speech, with commas and with numbers that are spoken as words', async () => {
  for (const [model, length] of [
    ['eleven_multilingual_v2', 10_000],
    ['eleven_flash_v2_5', 40_000],
  ] as const) {
    const text = 'In 1999, 77 fish, '.repeat(length / 18);
    const words = text.replaceAll('1999', 'nineteen ninety-nine').replaceAll('77', 'seventy-seven');
    body = JSON.stringify({
      audio_base64: spoken(text.length * 0.07),
      alignment: timesOf(text),
      normalized_alignment: timesOf(words),
    });
    const { call, charges } = open();
    const speech = await speak(model, text, call);
    expect(speech.alignment.endSeconds.at(-1)).toBeCloseTo((text.length - 1) * 0.07, 2);
    expect(charges).toHaveLength(1);
  }
});
