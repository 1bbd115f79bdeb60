// Narrations through the real handler: several chunks, one joined file, captions that fit it, the independent check, and who
// speaks when the first voice cannot.
// Covers: workers/narration/voices.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readMp3 } from '../../workers/narration/mp3.ts';
import { addStory, openStoryWorld, type StoryWorld } from './story-world.ts';

let world: StoryWorld;
let silent = false;
let alone = false;
beforeAll(async () => {
  world = await openStoryWorld(({ elevenlabs, deepgram }) => ({
    elevenlabs: { ...elevenlabs, maxCharacters: 150 },
    deepgram: {
      ...deepgram,
      voiceFor: (language) => (alone ? undefined : deepgram.voiceFor(language)),
      transcribe: async (audio, call) => {
        const transcript = await deepgram.transcribe(audio, call);
        return silent ? { ...transcript, text: '' } : transcript;
      },
    },
  }));
});
afterAll(async () => {
  await world.close();
});

async function makeStory(): Promise<{ storyId: string; text: string }> {
  const storyId = await world.run('generate-story', {
    childName: 'Ada',
    age: 9,
    theme: 'a lighthouse',
    pages: 3,
  });
  const pages = await world.db.prisma.page.findMany({ where: { storyId }, orderBy: { number: 'asc' } });
  return { storyId, text: pages.map((page) => page.text).join('\n\n') };
}

interface Result {
  audioUrl: string;
  captionsUrl: string;
  durationSeconds: number;
  wordErrorRate: number;
  flagged: boolean;
}

async function narrated(jobId: string): Promise<Result> {
  const job = await world.db.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
  expect([job.state, job.errorMessage]).toEqual(['succeeded', null]);
  return job.result as unknown as Result;
}

async function billed(jobId: string): Promise<string[]> {
  const answer = await fetch(`${world.sandbox.url}/_sandbox/bill`);
  const { entries } = (await answer.json()) as { entries: { step?: string }[] };
  return entries.flatMap(({ step }) =>
    step?.startsWith(jobId) === true ? [step.slice(jobId.length + 1)] : [],
  );
}

test('chunks become one file that plays all words, with captions that end with it', async () => {
  const { storyId, text } = await makeStory();
  const result = await narrated(await world.run('narrate-story', { storyId }));
  expect(result).toMatchObject({ wordErrorRate: 0, flagged: false });
  const words = text.split(/\s+/u).length;
  expect(Math.abs(result.durationSeconds / (words / 2.5) - 1)).toBeLessThan(0.02);
  const audio = new Uint8Array(await (await fetch(result.audioUrl)).arrayBuffer());
  expect(readMp3(audio)?.seconds).toBeCloseTo(result.durationSeconds, 6);
  const captions = await (await fetch(result.captionsUrl)).text();
  const ends = [...captions.matchAll(/--> (\d\d):(\d\d):([\d.]+)/g)].map(
    ([, hours, minutes, seconds]) => Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds),
  );
  expect(ends.at(-1)).toBeLessThanOrEqual(result.durationSeconds);
  expect(ends.at(-1)).toBeGreaterThan(result.durationSeconds - 0.5);
  const shown = captions
    .replaceAll(/^WEBVTT$|^\d\d:.*$/gm, '')
    .split(/\s+/u)
    .filter(Boolean);
  expect(shown.join(' ')).toBe(text.split(/\s+/u).join(' '));
});

test('a retry speaks only the chunk that failed, and finds in the history what was paid for and lost', async () => {
  const { storyId } = await makeStory();
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'delay', ms: 0 }, 2);
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 422 }, 1);
  alone = true;
  const first = await world.run('narrate-story', { storyId });
  const dead = await world.db.prisma.job.findUniqueOrThrow({ where: { id: first } });
  expect([dead.state, dead.errorCode]).toEqual(['dead', 'bad_input']);
  expect(await billed(first)).toEqual(['speak-1', 'speak-2']);
  alone = false;

  await world.fault('elevenlabs', 'text-to-speech', { kind: 'delay', ms: 0 }, 1);
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'garbage', body: '{"nothing":1}' }, 1);
  const second = await world.run('narrate-story', { storyId });
  await narrated(second);
  const steps = await billed(second);
  expect(steps.filter((step) => step === 'speak-1')).toHaveLength(1);
  expect(steps.filter((step) => step === 'speak-2')).toHaveLength(1);
  const attempts = await world.db.prisma.attempt.findMany({
    where: { jobId: second },
    orderBy: { attemptNo: 'asc' },
  });
  expect(attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
    ['failed', 'bad_output'],
    ['succeeded', null],
  ]);
});

test('a narration nobody can hear is published with a flag', async () => {
  const { storyId } = await makeStory();
  silent = true;
  const result = await narrated(await world.run('narrate-story', { storyId }));
  silent = false;
  expect(result).toMatchObject({ wordErrorRate: 1, flagged: true });
  const row = await world.db.prisma.narration.findUniqueOrThrow({ where: { storyId } });
  expect(row).toMatchObject({ flagged: true, transcript: '' });
});

async function outcomes(jobId: string): Promise<unknown[]> {
  const rows = await world.db.prisma.attempt.findMany({ where: { jobId }, orderBy: { attemptNo: 'asc' } });
  return rows.map(({ outcome, code }) => code ?? outcome);
}

test.each([
  ['does not exist', 400, 'voice_not_found'],
  ['is not in the plan', 403, 'only_for_creator+'],
])('where the voice %s another one speaks the whole story at once', async (_, status, word) => {
  const { storyId, text } = await makeStory();
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'delay', ms: 0 }, 1);
  const body = { detail: { status: word, message: 'x' } };
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status, body }, 1);
  const id = await world.run('narrate-story', { storyId });
  expect(await narrated(id)).toMatchObject({ standIn: true, wordErrorRate: 0, flagged: false });
  expect(await outcomes(id)).toEqual(['succeeded']);
  const steps = await billed(id);
  expect(steps.slice(0, 2)).toEqual(['speak-1', 'speak-1-stand-in']);
  const row = await world.db.prisma.narration.findUniqueOrThrow({ where: { storyId } });
  expect(row).toMatchObject({ voiceId: 'aura-2-thalia-en', characters: text.length });
});

test('an empty account is waited for three times, then another voice speaks, and no attempt is used up', async () => {
  const storyId = await addStory(world); // nobody has spoken it, so the history has nothing to offer
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'quota' }, 4);
  const id = await world.run('narrate-story', { storyId });
  expect(await narrated(id)).toMatchObject({ standIn: true });
  const quota = 'quota_exhausted';
  expect(await outcomes(id)).toEqual([quota, quota, quota, 'succeeded']);
});

test('what the other voice has spoken is kept when the first one is back, and nothing is paid for twice', async () => {
  const storyId = await addStory(world);
  const gone = { detail: { status: 'voice_not_found', message: 'x' } };
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 400, body: gone });
  await world.fault('cloudinary', 'upload', { kind: 'status', status: 401 });
  const id = await world.run('narrate-story', { storyId });
  expect(await outcomes(id)).toEqual(['auth', 'succeeded']);
  expect(await narrated(id)).toMatchObject({ standIn: true });
  const spoken = (await billed(id)).filter((step) => step.startsWith('speak-'));
  expect(spoken).toEqual(['speak-1-stand-in']);
});

test('a voice that is only busy is waited for as long as it takes, and speaks the story itself', async () => {
  const storyId = await addStory(world);
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 429 }, 5);
  const id = await world.run('narrate-story', { storyId });
  expect(await narrated(id)).toMatchObject({ standIn: false });
  expect(await outcomes(id)).toEqual([...Array<string>(5).fill('rate_limited'), 'succeeded']);
});

test('a text that is refused is not carried to another vendor, and a deaf ear does not cost the narration', async () => {
  const { storyId } = await makeStory();
  const blocked = { detail: { status: 'content_moderation', message: 'x' } };
  await world.fault('elevenlabs', 'text-to-speech', { kind: 'status', status: 400, body: blocked });
  const refused = await world.run('narrate-story', { storyId });
  expect(await outcomes(refused)).toEqual(['content_blocked']);
  await world.fault('deepgram', 'listen', { kind: 'status', status: 413 });
  const unheard = await narrated(await world.run('narrate-story', { storyId }));
  expect(unheard).toMatchObject({ standIn: false, wordErrorRate: 1, flagged: true });
});
