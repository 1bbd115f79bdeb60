// ElevenLabs' adapter with the real SDK against a vendor whose every answer is written here: what it finds, and what it keeps.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Call, Charge } from '../../shared/call.ts';
import { createElevenLabs } from '../../providers/elevenlabs.ts';
import { createGuard } from '../../providers/guard.ts';
import type { Speech } from '../../providers/ports.ts';

const text = 'Mia waves.';
const voiceId = 'rachel';
const usual = 'eleven_multilingual_v2';

interface Times {
  characters: string[];
  character_start_times_seconds: number[];
  character_end_times_seconds: number[];
}

/** Silence of so many seconds: whole frames of 128 kbit/s. */
function sound(seconds: number): Buffer {
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xfffb9000);
  return Buffer.concat(Array.from({ length: Math.ceil((seconds * 44_100) / 1_152) }, () => frame));
}

/** A character is heard for a tenth of a second. */
function timesOf(spoken: string): Times {
  const characters = Array.from(spoken);
  return {
    characters,
    character_start_times_seconds: characters.map((_, index) => index / 10),
    character_end_times_seconds: characters.map((_, index) => (index + 1) / 10),
  };
}

type Entry = Record<string, unknown> & { history_item_id: string };

/** An entry of the history, with times of these words. */
function entry(words?: string, said = text, id = 'h1'): Entry {
  const times = words === undefined ? undefined : timesOf(words);
  return {
    history_item_id: id,
    request_id: 'r1',
    voice_id: voiceId,
    model_id: usual,
    text: said,
    date_unix: 1_800_000_000,
    character_count_change_from: 0,
    character_count_change_to: 10,
    content_type: 'audio/mpeg',
    output_format: 'mp3_44100_128',
    state: 'created',
    source: 'TTS',
    alignments: times === undefined ? null : { alignment: times, normalized_alignment: times },
  };
}

const whole = { audio: sound(1.1), alignment: timesOf(text) as Times | undefined };
/** What the vendor has, and what it says to a text. */
let vendor: {
  headers: Record<string, string>;
  history: string | Entry[];
  kept: Buffer;
  spoken: typeof whole;
  asked: string[];
};
beforeEach(() => {
  vendor = {
    headers: { 'request-id': 'r2', 'character-cost': '10' },
    history: [],
    kept: whole.audio,
    spoken: whole,
    asked: [],
  };
});

function answerTo(url: URL): string | Buffer {
  if (url.pathname.endsWith('/audio')) return vendor.kept;
  if (url.pathname.endsWith('/history')) {
    if (typeof vendor.history === 'string') return vendor.history;
    const after = url.searchParams.get('start_after_history_item_id');
    const left = vendor.history.slice(1 + vendor.history.findIndex((one) => one.history_item_id === after));
    const history = left.slice(0, Number(url.searchParams.get('page_size')));
    const last = history.at(-1)?.history_item_id;
    return JSON.stringify({ history, has_more: left.length > history.length, last_history_item_id: last });
  }
  const { audio, alignment } = vendor.spoken;
  return JSON.stringify({ audio_base64: audio.toString('base64'), alignment });
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://vendor');
  vendor.asked.push(`${request.method} ${url.pathname}`);
  request.resume();
  response.writeHead(200, vendor.headers).end(answerTo(url));
});
const guard = createGuard({ provider: 'elevenlabs', breaker: false, emit: () => undefined });

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  guard.close();
  server.closeAllConnections();
  server.close();
});

async function speak(
  again: boolean,
  model = usual,
): Promise<Speech & { charges: (string | undefined)[]; credits: (number | undefined)[]; paid: number }> {
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  const voice = createElevenLabs({ apiKey: 'key', baseUrl, model, defaultVoiceId: voiceId, guard });
  const charges: Charge[] = [];
  const call: Call = {
    step: 'job:speak',
    signal: new AbortController().signal,
    afford: () => Promise.resolve(),
    charge: (charge) => void charges.push(charge),
    ...(again && { mayHaveRunSinceMs: Date.now() }),
  };
  const speech = await voice.speak({ text, voiceId, language: 'en' }, call);
  const paid = vendor.asked.filter((request) => request.startsWith('POST')).length;
  const credits = charges.map(({ usage }) => usage[0]?.quantity);
  return { ...speech, charges: charges.map(({ requestId }) => requestId), credits, paid };
}

test('a sound that was cut is not kept because it is found again: the text is spoken once more', async () => {
  vendor.history = [entry(`${text} Then she ran home.`)];
  const again = await speak(true);
  expect(again).toMatchObject({ paid: 1, charges: ['r1', 'r2'] });
});

test('a text that is still being spoken is waited for and costs nothing; one that never ends is spoken once more', async () => {
  const now = Math.round(Date.now() / 1_000);
  vendor.history = [{ ...entry(), state: 'processing', date_unix: now }];
  await expect(speak(true)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: undefined });
  expect(vendor.asked.filter((request) => request.startsWith('POST'))).toEqual([]);
  vendor.history = [{ ...entry(), state: 'processing', date_unix: now - 3_600 }];
  expect(await speak(true)).toMatchObject({ paid: 1, charges: ['r2'] });
});

test('an entry without times is kept, and its times are spread over the sound', async () => {
  vendor.history = [entry()];
  const found = await speak(true);
  expect(found).toMatchObject({ paid: 0, charges: ['r1'] });
  expect(found.alignment.characters.join('')).toBe(text);
  expect(found.alignment.endSeconds.at(-1)).toBeCloseTo(1.1, 1);
});

test('a good sound whose times stop in the middle is kept, with times to its end', async () => {
  for (const alignment of [timesOf(''), timesOf('Mia'), undefined]) {
    vendor.spoken = { ...whole, alignment };
    const speech = await speak(false);
    expect(speech.alignment.characters.join('')).toBe(text);
    expect(speech.alignment.endSeconds.at(-1)).toBeCloseTo(1.1, 1);
  }
});

test('a speech is found among long texts of others', async () => {
  const long = 'a long day at sea '.repeat(555);
  const others = Array.from({ length: 30 }, (_, index) => entry(long, long, `long-${index}`));
  vendor.history = [...others, entry(text)];
  expect(await speak(true)).toMatchObject({ paid: 0, charges: ['r1'] });
});

test('a history that cannot be read does not keep a text from being spoken', async () => {
  for (const history of ['{"history":', '{}', `"${'x'.repeat(20_000_000)}"`]) {
    vendor.history = history;
    vendor.asked = [];
    expect(await speak(true)).toMatchObject({ paid: 1, charges: ['r2'] });
  }
});

test('without a header that says the cost, the credits are those of the model', async () => {
  vendor.headers = {};
  expect((await speak(false)).credits).toEqual([10]);
  expect((await speak(false, 'eleven_flash_v2_5')).credits).toEqual([5]);
});
