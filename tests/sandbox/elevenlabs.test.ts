import { test, expect } from '@jest/globals';
import { ElevenLabsClient, ElevenLabsError } from '@elevenlabs/elevenlabs-js';
import { defaultVoiceId } from '../../sandbox/elevenlabs-data.ts';
import { readMp3 } from '../../sandbox/mp3.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { playGolden } from './golden-play.ts';
import { openSandbox, readBill, sandboxKeys, setFault, withSandbox } from './world.ts';

const client = (sandbox: Sandbox): ElevenLabsClient =>
  new ElevenLabsClient({
    apiKey: sandboxKeys.elevenlabs,
    baseUrl: `${sandbox.url}/elevenlabs`,
    maxRetries: 0,
  });

const request = {
  text: 'Once there was a moon.',
  modelId: 'eleven_flash_v2_5',
  outputFormat: 'mp3_44100_64',
} as const;
const headers = { 'x-storytime-step': 'job-1:narrate' };

test('every golden exchange is answered as the vendor answers it', () =>
  withSandbox(async (sandbox) => {
    for (const { name, got, wanted } of await playGolden(sandbox, 'elevenlabs', sandboxKeys.elevenlabs)) {
      expect([name, ...got]).toEqual([name, ...wanted]);
    }
  }));

test("the vendor's own client gets audio with timestamps that match it, and one line is on the bill", () =>
  withSandbox(async (sandbox) => {
    const asked = client(sandbox).textToSpeech.convertWithTimestamps(defaultVoiceId, request, { headers });
    const { data, rawResponse } = await asked.withRawResponse();
    const mp3 = readMp3(Buffer.from(data.audioBase64, 'base64'));
    expect(mp3?.seconds).toBeCloseTo(2, 1);
    expect(data.alignment?.characters.join('')).toBe(request.text);
    expect(data.alignment?.characterEndTimesSeconds.at(-1)).toBeLessThanOrEqual(mp3?.seconds ?? 0);
    expect(rawResponse.headers.get('character-cost')).toBe('11');
    expect(rawResponse.headers.get('maximum-concurrent-requests')).toBe('15');
    expect(await readBill(sandbox)).toMatchObject([
      {
        provider: 'elevenlabs',
        operation: 'text-to-speech',
        step: 'job-1:narrate',
        units: { characters: 22, credits: 11 },
        requestId: rawResponse.headers.get('request-id'),
      },
    ]);
  }));

test('speech whose answer was lost is on the bill and in the history, with the same bytes, after a restart too', async () => {
  const first = await openSandbox();
  await setFault(first, { provider: 'elevenlabs', times: 1, fault: { kind: 'reset', billed: true } });
  // Not through the client: after a lost connection it leaves its timer of 240 s behind, which would hold this process.
  const lost = fetch(`${first.url}/elevenlabs/v1/text-to-speech/${defaultVoiceId}`, {
    method: 'POST',
    headers: { 'xi-api-key': sandboxKeys.elevenlabs, 'content-type': 'application/json' },
    body: JSON.stringify({ text: request.text, model_id: request.modelId }),
  });
  await expect(lost).rejects.toThrow();
  expect(await readBill(first)).toHaveLength(1);
  await first.close();
  const second = await openSandbox(first.dataDir);
  try {
    const { history } = await client(second).history.list({ search: 'there was', source: 'TTS' });
    expect(history).toMatchObject([
      { text: request.text, voiceId: defaultVoiceId, modelId: request.modelId },
    ]);
    const audio = await client(second).history.getAudio(history[0]?.historyItemId ?? '');
    const bytes = Buffer.from(await new Response(audio).arrayBuffer());
    expect(readMp3(bytes)?.segments[0]?.text).toBe(request.text);
    expect(await readBill(second)).toHaveLength(1);
  } finally {
    await second.close();
  }
});

test("voices, models and the subscription pass the vendor's own schemas, and a refusal is its own error", () =>
  withSandbox(async (sandbox) => {
    const { voices } = await client(sandbox).voices.getAll();
    expect(voices.map(({ voiceId }) => voiceId)).toContain(defaultVoiceId);
    expect((await client(sandbox).models.list()).map(({ modelId }) => modelId)).toContain(
      'eleven_multilingual_v2',
    );
    await client(sandbox).textToSpeech.convert(defaultVoiceId, request);
    expect((await client(sandbox).user.subscription.get()).characterCount).toBe(11);
    await setFault(sandbox, { provider: 'elevenlabs', times: 1, fault: { kind: 'quota' } });
    const refused = await client(sandbox)
      .textToSpeech.convert(defaultVoiceId, request)
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ElevenLabsError);
    expect(refused).toMatchObject({ statusCode: 401, body: { detail: { status: 'quota_exceeded' } } });
  }));
