// Narrations that another attempt began: after a deploy, with a voice that is configured no more, or with one that is refused.
// Covers: workers/narration/voices.ts
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SpeechRequest } from '../../providers/ports.ts';
import { addStory, openStoryWorld, type StoryWorld } from './story-world.ts';

interface Configured {
  maxCharacters: number;
  defaultVoiceId?: string;
  model?: string;
}
const usual: Configured = { maxCharacters: 150 };

let world: StoryWorld;
/** What the present deploy configures; `deployed` comes with the second call of ElevenLabs. */
let configured = usual;
let deployed: Configured | undefined;
let standInCharacters = 2_000;
/** No stand-in is configured, or none from its first word on. */
let alone = false;
let leftAlone = false;
const asked: SpeechRequest[] = [];

beforeEach(() => {
  configured = usual;
  deployed = undefined;
  standInCharacters = 2_000;
  [alone, leftAlone] = [false, false];
  asked.length = 0;
});

beforeAll(async () => {
  world = await openStoryWorld(({ elevenlabs, deepgram }) => ({
    elevenlabs: {
      ...elevenlabs,
      get maxCharacters() {
        return configured.maxCharacters;
      },
      get defaultVoiceId() {
        return configured.defaultVoiceId ?? elevenlabs.defaultVoiceId;
      },
      speak(request, call) {
        asked.push(request);
        if (asked.length === 2) configured = deployed ?? configured;
        return elevenlabs.speak({ ...configured, ...request }, call);
      },
    },
    deepgram: {
      ...deepgram,
      get maxCharacters() {
        return standInCharacters;
      },
      async speak(text, call) {
        const speech = await deepgram.speak(text, call);
        alone ||= leftAlone;
        return speech;
      },
      voiceFor: (language) => (alone ? undefined : deepgram.voiceFor(language)),
    },
  }));
});
afterAll(async () => {
  await world.close();
});

async function outcomes(jobId: string): Promise<unknown[]> {
  const rows = await world.db.prisma.attempt.findMany({ where: { jobId }, orderBy: { attemptNo: 'asc' } });
  return rows.map(({ outcome, code }) => code ?? outcome);
}

async function resultOf(jobId: string): Promise<unknown> {
  return (await world.db.prisma.job.findUniqueOrThrow({ where: { id: jobId } })).result;
}

const quota = 'quota_exhausted';

test('a deploy in mid-narration changes neither the voice nor where the text is cut', async () => {
  const wish = { childName: 'Ada', age: 9, theme: 'a lighthouse', pages: 3 };
  const storyId = await world.run('generate-story', wish);
  const pages = await world.db.prisma.page.findMany({ where: { storyId }, orderBy: { number: 'asc' } });
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'delay', ms: 0 }, 1);
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 429 }, 1);
  asked.length = 0; // its first narration
  deployed = { maxCharacters: 90, defaultVoiceId: 'EXAVITQu4vr4xnSDxMaL', model: 'eleven_v3' };
  const id = await world.run('narrate-story', { storyId });
  expect(configured).toBe(deployed);
  expect(await outcomes(id)).toEqual(['rate_limited', 'succeeded']);
  expect(await resultOf(id)).toMatchObject({ standIn: false, wordErrorRate: 0, flagged: false });
  expect(new Set(asked.slice(2).map(({ model }) => model))).toEqual(new Set(['eleven_multilingual_v2']));
  expect(new Set(asked.map(({ voiceId }) => voiceId)).size).toBe(1);
  const [first, , ...rest] = asked.map((request) => request.text);
  expect([first, ...rest].join(' ').split(/\s+/u)).toEqual(pages.flatMap(({ text }) => text.split(/\s+/u)));
  const row = await world.db.prisma.narration.findUniqueOrThrow({ where: { storyId } });
  expect(row.voiceId).toBe(asked[0]?.voiceId);
});

test('a stand-in that is refused too does not end a narration that only has to wait', async () => {
  const storyId = await addStory(world);
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'quota' }, 5);
  await world.fault('deepgram', 'speak', { kind: 'status', status: 400 }, 1);
  const id = await world.run('narrate-story', { storyId });
  expect(await outcomes(id)).toEqual([quota, quota, quota, quota, 'succeeded']);
  expect(await resultOf(id)).toMatchObject({ standIn: true });
});

test('a stand-in that is configured no more ends what it has begun', async () => {
  const storyId = await addStory(world);
  const gone = { detail: { status: 'voice_not_found', message: 'x' } };
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 400, body: gone });
  await world.fault('cloudinary', 'upload', { kind: 'status', status: 401 });
  leftAlone = true;
  const id = await world.run('narrate-story', { storyId });
  expect(await outcomes(id)).toEqual(['auth', 'succeeded']);
  expect(await resultOf(id)).toMatchObject({ standIn: true });
});

test('a stand-in that is refused in the middle leaves the story to the voice that was asked for', async () => {
  const storyId = await addStory(world);
  standInCharacters = 10;
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'quota' }, 5);
  await world.fault('deepgram', 'speak', { kind: 'delay', ms: 0 }, 1);
  await world.fault('deepgram', 'speak', { kind: 'status', status: 400 }, 3);
  const id = await world.run('narrate-story', { storyId });
  expect(await outcomes(id)).toEqual([quota, quota, quota, quota, quota, 'succeeded']);
  expect(await resultOf(id)).toMatchObject({ standIn: false, wordErrorRate: 0 });
});
