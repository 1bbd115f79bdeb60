// Covers: sandbox/deepgram-speak.ts
import { test, expect } from '@jest/globals';
import { DeepgramClient } from '@deepgram/sdk';
import { readFileSync } from 'node:fs';
import { readMp3 } from '../../sandbox/mp3.ts';
import { speak } from '../../sandbox/mp3-speak.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { shapeOf } from './golden.ts';
import { playGolden } from './golden-play.ts';
import { readBill, sandboxKeys, withSandbox } from './world.ts';

const speaker = { kbps: 64, pitchHz: 200 } as const;
const first = speak('Once, a boat sailed away.', speaker);
const second = speak('“Why?” asked the old whale.', speaker);
const options = { model: 'nova-3', smart_format: true, utterances: true } as const;

const client = (sandbox: Sandbox): DeepgramClient =>
  new DeepgramClient({ apiKey: sandboxKeys.deepgram, baseUrl: `${sandbox.url}/deepgram`, maxRetries: 0 });

interface Heard {
  metadata: { duration: number; model_info?: unknown };
  results: {
    channels: {
      alternatives?: { transcript?: string; words?: { word?: string; start?: number; end?: number }[] }[];
    }[];
    utterances?: { transcript?: string }[];
  };
}

async function hear(sandbox: Sandbox, data: Buffer, ask: object = options): Promise<Heard> {
  const headers = { 'x-storytime-step': 'job-1:check' };
  const sent = { data, contentType: 'audio/mpeg' };
  return (await client(sandbox).listen.v1.media.transcribeFile(sent, ask, { headers })) as Heard;
}

const said = (heard: Heard): string | undefined => heard.results.channels[0]?.alternatives?.[0]?.transcript;

test('every golden exchange is answered as the vendor answers it', () =>
  withSandbox(async (sandbox) => {
    for (const { name, got, wanted } of await playGolden(sandbox, 'deepgram', sandboxKeys.deepgram)) {
      expect([name, ...got]).toEqual([name, ...wanted]);
    }
  }));

test("a narration of several pieces is heard in order, in the vendor's shape, timed by its frames and billed by its length", () =>
  withSandbox(async (sandbox) => {
    const heard = await hear(sandbox, Buffer.concat([first, second]));
    expect(said(heard)).toBe('Once, a boat sailed away. “Why?” asked the old whale.');
    expect(heard.results.utterances?.map(({ transcript }) => transcript)).toEqual([
      'Once, a boat sailed away.',
      '“Why?”',
      'asked the old whale.',
    ]);
    const words = heard.results.channels[0]?.alternatives?.[0]?.words ?? [];
    expect(words.map(({ word }) => word).slice(4, 6)).toEqual(['away', 'why']);
    expect(words[5]?.start).toBeCloseTo(heard.metadata.duration / 2, 2);
    const golden = JSON.parse(readFileSync(new URL('golden/deepgram.json', import.meta.url), 'utf8')) as {
      heard: unknown;
    };
    const { model_info: _, ...metadata } = heard.metadata;
    expect(shapeOf({ ...heard, metadata })).toEqual(shapeOf(golden.heard));
    const bill = await readBill(sandbox);
    expect(bill).toMatchObject([
      { operation: 'listen', step: 'job-1:check', units: { seconds: heard.metadata.duration } },
    ]);
  }));

test('a cut, a lost, a swapped and a headless piece are heard as what they are', () =>
  withSandbox(async (sandbox) => {
    const cut = Buffer.concat([first.subarray(0, Math.floor(first.length / 2)), second]);
    expect(said(await hear(sandbox, cut))).toBe('Once, a “Why?” asked the old whale.');
    expect(said(await hear(sandbox, first))).toBe('Once, a boat sailed away.');
    expect(said(await hear(sandbox, Buffer.concat([second, first])))).toBe(
      '“Why?” asked the old whale. Once, a boat sailed away.',
    );
    expect(said(await hear(sandbox, Buffer.concat([first, second.subarray(200)])))).toBe(
      'Once, a boat sailed away.',
    );
  }));

test('a foreign MP3 is silent but has its length, and plain words come without punctuation', () =>
  withSandbox(async (sandbox) => {
    const foreign = first.subarray(first.indexOf(Buffer.from([0xff, 0xfb])));
    const heard = await hear(sandbox, foreign);
    expect([said(heard), heard.metadata.duration]).toEqual(['', expect.closeTo(2, 1)]);
    expect(said(await hear(sandbox, first, { model: 'nova-2' }))).toBe('once a boat sailed away');
  }));

test("corrupt bytes are the vendor's 400, nothing is billed, and only our own links are fetched", () =>
  withSandbox(async (sandbox) => {
    await expect(hear(sandbox, Buffer.from('not audio'))).rejects.toMatchObject({ statusCode: 400 });
    const elsewhere = client(sandbox).listen.v1.media.transcribeUrl({ url: 'http://127.0.0.1:1/x.mp3' });
    await expect(elsewhere).rejects.toMatchObject({
      statusCode: 400,
      body: { err_code: 'REMOTE_CONTENT_ERROR' },
    });
    expect(await readBill(sandbox)).toEqual([]);
  }));

test("the vendor's own client is spoken to at 22.05 kHz, the words can be heard again, and characters are billed", () =>
  withSandbox(async (sandbox) => {
    const ask = { text: 'Once, a boat sailed away.', model: 'aura-2-thalia-en', encoding: 'mp3' } as const;
    const headers = { 'x-storytime-step': 'job-1:speak' };
    const asked = client(sandbox).speak.v1.audio.generate({ ...ask, bit_rate: 48_000 }, { headers });
    const { data, rawResponse } = await asked.withRawResponse();
    const bytes = Buffer.from(await data.arrayBuffer());
    expect(readMp3(bytes)?.first).toMatchObject({ sampleRateHz: 22_050, kbps: 48, channels: 1 });
    expect(readMp3(bytes)?.seconds).toBeCloseTo(2, 1);
    expect(rawResponse.headers.get('x-dg-characters')).toBe('25');
    expect(said(await hear(sandbox, bytes))).toBe(ask.text);
    expect(await readBill(sandbox)).toMatchObject([
      { operation: 'speak', step: 'job-1:speak', units: { characters: 25 } },
      { operation: 'listen' },
    ]);
  }));
