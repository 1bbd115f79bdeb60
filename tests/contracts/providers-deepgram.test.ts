// Deepgram's adapter with the real SDK against the sandbox: it hears what ElevenLabs' stand-in said, and the bill.
// Covers: providers/deepgram-answer.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { createDeepgram, type DeepgramOptions } from '../../providers/deepgram.ts';
import { mp3Seconds } from '../../providers/media.ts';
import { createElevenLabs } from '../../providers/elevenlabs.ts';
import { expectCharged, expectErrors, failureOf, openRig, type Rig } from './providers-rig.ts';

const text = 'Mia found a lantern, and it glowed.';
let rig: Rig;
let audio: { bytes: Uint8Array; contentType: string; language: string };

function deepgram(more: Partial<DeepgramOptions> = {}) {
  return createDeepgram({
    apiKey: sandboxKeys.deepgram,
    baseUrl: `${rig.sandbox.url}/deepgram`,
    model: 'nova-3',
    guard: rig.guard,
    deadlineMs: 10_000,
    ...more,
  });
}

beforeAll(async () => {
  rig = await openRig('deepgram');
  const voice = createElevenLabs({
    apiKey: sandboxKeys.elevenlabs,
    baseUrl: `${rig.sandbox.url}/elevenlabs`,
    model: 'eleven_multilingual_v2',
    defaultVoiceId: '21m00Tcm4TlvDq8ikWAM',
    guard: rig.guard,
  });
  const speech = await voice.speak(
    { text, voiceId: voice.defaultVoiceId, language: 'en' },
    rig.call('voice:speak'),
  );
  audio = { bytes: speech.audio, contentType: 'audio/mpeg', language: 'en-GB' };
});
afterAll(() => rig.close());

test('the words that were spoken are heard, and their seconds are charged', async () => {
  const call = rig.call('job-1:check');
  const heard = await deepgram().transcribe(audio, call);
  expect(heard.text.toLowerCase().replaceAll(/[^a-z ]/g, '')).toBe('mia found a lantern and it glowed');
  expect(heard.durationSeconds).toBeCloseTo(mp3Seconds(audio.bytes) ?? 0, 1);
  expect(call.charges[0]).toMatchObject({ provider: 'deepgram', model: 'nova-3' });
  await expectCharged(rig, call, { second: 'seconds' });
});

test('an answer that cannot be read is charged by the seconds of the sound', async () => {
  await rig.fault('listen', { kind: 'garbage', body: '{"metadata":' });
  const call = rig.call('job-6:check');
  await failureOf(deepgram().transcribe(audio, call));
  const seconds = mp3Seconds(audio.bytes);
  expect(call.charges).toMatchObject([{ usage: [{ unit: 'second', quantity: seconds }] }]);
  expect((await rig.bill('job-6:check'))[0]?.units['seconds']).toBeCloseTo(seconds ?? 0, 1);
});

test('silence is an answer without words', async () => {
  const frame = new Uint8Array(417);
  frame.set([0xff, 0xfb, 0x90, 0x00]);
  const bytes = Buffer.concat(Array.from({ length: 80 }, () => frame));
  const heard = await deepgram().transcribe({ ...audio, bytes }, rig.call('job-2:check'));
  expect(heard).toMatchObject({ text: '' });
});

/** The same word for a key without rights and for one voice or model that the plan does not cover. */
const refused = (sentence: string) => ({ err_code: 'INSUFFICIENT_PERMISSIONS', err_msg: sentence });
const noModel = 'Project does not have access to the requested model.';

test('every error has its code, is tried as often as is safe, and is billed as the vendor would', async () => {
  await expectErrors(
    rig,
    'listen',
    [
      [{ kind: 'status', status: 500 }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 504, body: 'late' }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 429 }, 'rate_limited', 1, 0],
      [{ kind: 'status', status: 401 }, 'auth', 1, 0],
      [{ kind: 'status', status: 403, body: refused('Insufficient permissions.') }, 'auth', 1, 0],
      [{ kind: 'status', status: 403, body: refused(noModel) }, 'bad_input', 1, 0],
      [{ kind: 'quota' }, 'quota_exhausted', 1, 0],
      [{ kind: 'status', status: 400 }, 'bad_input', 1, 0],
      [{ kind: 'status', status: 413 }, 'bad_input', 1, 0],
      [{ kind: 'reset', billed: false }, 'unknown_outcome', 1, 0],
      [{ kind: 'reset', billed: true }, 'unknown_outcome', 1, 1],
      [{ kind: 'cut', afterBytes: 100 }, 'unknown_outcome', 1, 1],
      [{ kind: 'hang' }, 'unknown_outcome', 1, 0],
      [{ kind: 'stall', afterBytes: 100 }, 'unknown_outcome', 1, 1],
      [{ kind: 'garbage', body: '{"metadata":' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '{"request_id":"x"}' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '<html></html>', contentType: 'text/html' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '\u0000' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: `{"results":"${'x'.repeat(10_000_000)}"}` }, 'bad_output', 1, 1],
    ],
    (call, deadlineMs) => deepgram({ deadlineMs }).transcribe(audio, call),
  );
});

test('audio that is none is bad input, and the wait asked for is passed on', async () => {
  const bytes = Buffer.from('this is not audio');
  expect(await failureOf(deepgram().transcribe({ ...audio, bytes }, rig.call('job-3:check')))).toMatchObject({
    code: 'bad_input',
    status: 400,
  });
  await rig.fault('listen', { kind: 'status', status: 429, headers: { 'retry-after': '9' } });
  expect(await failureOf(deepgram().transcribe(audio, rig.call('job-4:check')))).toMatchObject({
    retryAfterMs: 9_000,
  });
});

test('a ping needs the right key', async () => {
  await deepgram().ping(new AbortController().signal);
  const wrong = deepgram({ apiKey: 'wrong' }).ping(new AbortController().signal);
  expect(await failureOf(wrong)).toMatchObject({ code: 'auth' });
});

test('a voice of the language speaks a whole MP3 that is heard again, charged by its characters', async () => {
  const speaker = deepgram({ voices: ['aura-2-celeste-es', 'aura-2-thalia-en'] });
  expect([speaker.voiceFor('en-GB'), speaker.voiceFor('nl')]).toEqual(['aura-2-thalia-en', undefined]);
  const call = rig.call('job-5:speak');
  const speech = await speaker.speak({ text, voice: 'aura-2-thalia-en' }, call);
  expect(speech.alignment.characters.join('')).toBe(text);
  expect(speech.alignment.endSeconds.at(-1)).toBeCloseTo(mp3Seconds(speech.audio) ?? 0, 6);
  await expectCharged(rig, call, { character: 'characters' });
  const heard = await speaker.transcribe({ ...audio, bytes: speech.audio }, rig.call('job-5:check'));
  expect(heard.text).toBe(text);
});

test('every error of a speech has its code', async () => {
  await expectErrors(
    rig,
    'speak',
    [
      [{ kind: 'status', status: 503 }, 'unavailable', 3, 0],
      [{ kind: 'quota' }, 'quota_exhausted', 1, 0],
      [{ kind: 'reset', billed: true }, 'unknown_outcome', 1, 1],
      [{ kind: 'cut', afterBytes: 300 }, 'unknown_outcome', 1, 1],
      [{ kind: 'stall', afterBytes: 300 }, 'unknown_outcome', 1, 1],
      [{ kind: 'garbage', body: '' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '<html></html>', contentType: 'text/html' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: 'x'.repeat(10_000_000) }, 'bad_output', 1, 1],
    ],
    (call, deadlineMs) => deepgram({ deadlineMs }).speak({ text, voice: 'aura-2-thalia-en' }, call),
  );
});
