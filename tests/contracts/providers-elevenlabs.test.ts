// ElevenLabs' adapter with the real SDK against the sandbox: audio with times, every kind of refusal, and the bill.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { noGate } from '../../providers/guard-gate.ts';
import { createGuard } from '../../providers/guard.ts';
import { createElevenLabs, type ElevenLabsOptions } from '../../providers/elevenlabs.ts';
import { mp3Seconds } from '../../providers/media.ts';
import { expectCharged, expectErrors, failureOf, openRig, type Rig } from './providers-rig.ts';

const text = 'Mia found a lantern. It glowed in the dark, and nobody knew why.';
const request = { text, voiceId: '21m00Tcm4TlvDq8ikWAM', language: 'en' };
let rig: Rig;

function elevenlabs(more: Partial<ElevenLabsOptions> = {}) {
  return createElevenLabs({
    apiKey: sandboxKeys.elevenlabs,
    baseUrl: `${rig.sandbox.url}/elevenlabs`,
    model: 'eleven_multilingual_v2',
    defaultVoiceId: request.voiceId,
    guard: rig.guard,
    deadlineMs: 10_000,
    ...more,
  });
}

beforeAll(async () => {
  rig = await openRig('elevenlabs');
});
afterAll(() => rig.close());

test('speech is a whole MP3 whose times cover the text, charged by its header', async () => {
  const call = rig.call('job-1:speak');
  const speech = await elevenlabs().speak({ ...request, previousText: 'Once.', nextText: 'The end.' }, call);
  expect(speech.alignment.characters.join('')).toBe(text);
  const end = speech.alignment.endSeconds.at(-1) ?? 0;
  expect(end).toBeGreaterThan(1);
  expect(mp3Seconds(speech.audio)).toBeGreaterThanOrEqual(end - 0.1);
  expect(call.charges[0]).toMatchObject({ provider: 'elevenlabs', model: 'eleven_multilingual_v2' });
  expect(call.charges[0]?.requestId).toBeTruthy();
  await expectCharged(rig, call, { character: 'credits' });
});

test('the limit of characters follows the model', () => {
  const limits = ['eleven_v3', 'eleven_multilingual_v2', 'eleven_flash_v2_5', 'eleven_new'].map(
    (model) => elevenlabs({ model }).maxCharacters,
  );
  expect(limits).toEqual([3_000, 10_000, 40_000, 5_000]);
});

const detail = (status: string, code?: string) => ({ detail: { status, code, message: 'Mia was refused' } });

test('every error has its code, is tried as often as is safe, and is billed as the vendor would', async () => {
  await expectErrors(
    rig,
    'text-to-speech',
    [
      [{ kind: 'status', status: 500 }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 503, body: 'busy' }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 429, body: detail('system_busy') }, 'unavailable', 3, 0],
      [{ kind: 'status', status: 429 }, 'rate_limited', 1, 0],
      [{ kind: 'status', status: 401 }, 'auth', 1, 0],
      [{ kind: 'status', status: 400, body: detail('invalid_api_key') }, 'auth', 1, 0],
      [{ kind: 'status', status: 403, body: detail('missing_permissions') }, 'auth', 1, 0],
      [{ kind: 'status', status: 403, body: detail('only_for_creator+') }, 'bad_input', 1, 0],
      [
        { kind: 'status', status: 402, body: detail('payment_required', 'paid_plan_required') },
        'bad_input',
        1,
        0,
      ],
      [{ kind: 'status', status: 402, body: { detail: { code: 'paid_plan_required' } } }, 'bad_input', 1, 0],
      [
        { kind: 'status', status: 402, body: detail('payment_required', 'unpaid_invoice') },
        'quota_exhausted',
        1,
        0,
      ],
      [{ kind: 'status', status: 403 }, 'bad_input', 1, 0],
      [{ kind: 'quota' }, 'quota_exhausted', 1, 0],
      [{ kind: 'status', status: 400, body: detail('voice_not_found') }, 'bad_input', 1, 0],
      [
        { kind: 'status', status: 422, body: { detail: [{ loc: [], msg: 'Mia', type: 'x' }] } },
        'bad_input',
        1,
        0,
      ],
      [{ kind: 'status', status: 400, body: detail('content_moderation') }, 'content_blocked', 1, 0],
      [{ kind: 'reset', billed: false }, 'unknown_outcome', 1, 0],
      [{ kind: 'reset', billed: true }, 'unknown_outcome', 1, 1],
      [{ kind: 'cut', afterBytes: 200 }, 'unknown_outcome', 1, 1],
      [{ kind: 'hang' }, 'unknown_outcome', 1, 0],
      [{ kind: 'stall', afterBytes: 200 }, 'unknown_outcome', 1, 1],
      [{ kind: 'garbage', body: '{"audio_base64":' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '{}' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '{"audio_base64":"AAAA"}' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '<html>sorry</html>', contentType: 'text/html' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: '\u0000' }, 'bad_output', 1, 1],
      [{ kind: 'garbage', body: 'x'.repeat(10_000_000) }, 'bad_output', 1, 1],
    ],
    (call, deadlineMs) => elevenlabs({ deadlineMs }).speak(request, call),
  );
});

test('an answer that is cut after its headers is charged: the vendor has billed it', async () => {
  await rig.fault('text-to-speech', { kind: 'cut', afterBytes: 200 });
  const call = rig.call('job-2:speak');
  expect(await failureOf(elevenlabs().speak(request, call))).toMatchObject({ code: 'unknown_outcome' });
  await expectCharged(rig, call, { character: 'credits' });
});

test('the wait asked for is passed on, and no message quotes the vendor', async () => {
  const fault = { kind: 'status', status: 429, headers: { 'retry-after': '9' } } as const;
  await rig.fault('text-to-speech', fault);
  const failure = await failureOf(elevenlabs().speak(request, rig.call('job-3:speak')));
  expect(failure).toMatchObject({ code: 'rate_limited', retryAfterMs: 9_000 });
  await rig.fault('text-to-speech', { kind: 'status', status: 400, body: detail('Mia was refused') });
  expect((await failureOf(elevenlabs().speak(request, rig.call('job-4:speak')))).message).not.toContain(
    'Mia',
  );
});

test("too many at once lowers the calls to the plan's number and leaves the gate open", async () => {
  const told: string[] = [];
  const gate = {
    ...noGate,
    limit: (maxCalls: number) => void told.push(`limit ${maxCalls}`),
    close: ({ reason }: { reason: string }) => told.push(`close ${reason}`),
  };
  const guard = createGuard({ provider: 'elevenlabs', emit: () => undefined, breaker: true, gate });
  const headers = { 'maximum-concurrent-requests': '5', 'current-concurrent-requests': '6' };
  await rig.fault('text-to-speech', { kind: 'status', status: 429, headers });
  const failure = await failureOf(elevenlabs({ guard }).speak(request, rig.call('job-9:speak')));
  expect(failure).toMatchObject({ code: 'rate_limited', breakerOpen: false });
  expect(failure.retryAfterMs).toBeLessThan(3_100);
  expect(told).toEqual(['limit 5']);
  guard.close();
});

test("a voice that the plan does not cover is its caller's matter: the gate stays open for all others", async () => {
  const closed: string[] = [];
  const gate = { ...noGate, shared: true, close: ({ reason }: { reason: string }) => closed.push(reason) };
  const guard = createGuard({ provider: 'elevenlabs', emit: () => undefined, breaker: true, gate });
  await rig.fault('text-to-speech', { kind: 'status', status: 403, body: detail('only_for_creator+') });
  const failure = await failureOf(elevenlabs({ guard }).speak(request, rig.call('job-11:speak')));
  expect(failure).toMatchObject({ code: 'bad_input', breakerOpen: false });
  expect(closed).toEqual([]);
  guard.close();
});

test('a stop in mid-call ends it, and a ping needs the right key', async () => {
  await rig.fault('text-to-speech', { kind: 'hang' });
  const stop = new AbortController();
  const speaking = failureOf(elevenlabs().speak(request, rig.call('job-5:speak', stop.signal)));
  await rig.faultTaken();
  stop.abort();
  expect(await speaking).toMatchObject({ code: 'cancelled' });
  await elevenlabs().ping(new AbortController().signal);
  const wrong = elevenlabs({ apiKey: 'wrong' }).ping(new AbortController().signal);
  expect(await failureOf(wrong)).toMatchObject({ code: 'auth' });
});

const speakCalls = async (step: string) => (await rig.bill(step)).length;

/** A call of a later attempt. */
const again = (step: string) => ({ ...rig.call(step), mayHaveRunSinceMs: Date.now() });

test('an answer that was lost is found in the history by a later attempt, which pays nothing', async () => {
  const lost = { ...request, text: 'Only once was this said, by the sea.' };
  for (const [index, fault] of [
    { kind: 'reset', billed: true } as const,
    { kind: 'hang' } as const,
  ].entries()) {
    const step = `job-6:speak-${index}`;
    await rig.fault('text-to-speech', fault);
    await failureOf(elevenlabs({ deadlineMs: 500 }).speak(lost, rig.call(step)));
    const call = again(step);
    const speech = await elevenlabs().speak(lost, call);
    expect(speech.alignment.characters.join('')).toBe(lost.text);
    expect(mp3Seconds(speech.audio)).toBeGreaterThan(1);
    expect(await speakCalls(step)).toBe(index === 0 ? 1 : 0); // the second one serves both
    expect(call.charges).toMatchObject([{ usage: [{ unit: 'character', quantity: lost.text.length }] }]);
  }
});

test('another text, another voice, and a call that was never made are paid for', async () => {
  await elevenlabs().speak({ ...request, text: 'A text of its own.' }, rig.call('job-7:speak'));
  const others = [
    { ...request, text: 'A text of its own!' },
    { ...request, text: 'A text of its own.', voiceId: 'EXAVITQu4vr4xnSDxMaL' },
  ];
  for (const [index, other] of others.entries()) {
    await elevenlabs().speak(other, again(`job-8:speak-${index}`));
    expect(await speakCalls(`job-8:speak-${index}`)).toBe(1);
  }
});

test('while the history cannot be read nothing is paid; when it never can be, the call is made', async () => {
  const spoken = { ...request, text: 'Nobody knows whether this was said.' };
  await rig.fault('history', { kind: 'status', status: 503 }, 3);
  expect(await failureOf(elevenlabs().speak(spoken, again('job-9:speak')))).toMatchObject({
    code: 'unavailable',
    breakerOpen: true,
  });
  expect(await speakCalls('job-9:speak')).toBe(0);
  await rig.fault('history', { kind: 'status', status: 401, body: detail('missing_permissions') });
  await elevenlabs().speak(spoken, again('job-9:speak'));
  expect(await speakCalls('job-9:speak')).toBe(1);
});
