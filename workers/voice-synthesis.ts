// The narration of a story: spoken chunk by chunk, joined, uploaded with captions, and listened to by somebody else.
// Every paid answer is a step of its own, so a retry speaks only the chunks that are still missing.
import { Failure } from '../shared/errors.ts';
import type { StoryText } from '../ledger/stories.ts';
import { readArtifact, type ArtifactRef } from '../ledger/artifacts.ts';
import { readStory } from '../ledger/stories.ts';
import { saveNarration } from '../ledger/story-parts.ts';
import type { Alignment } from '../providers/ports.ts';
import { voiceSynthesis } from '../queues/voice-synthesis.ts';
import { defineWorker, type Job, type Services } from './define.ts';
import { captions } from './narration/captions.ts';
import { chunkText, surroundings } from './narration/chunks.ts';
import { joinMp3, readMp3, type Mp3 } from './narration/mp3.ts';
import { flagAbove, wordErrorRate } from './narration/word-error-rate.ts';

const mp3Type = 'audio/mpeg';

interface Narration {
  audio: ArtifactRef;
  seconds: number;
  webVtt: string;
}

export const voiceSynthesisWorker = defineWorker(voiceSynthesis, {
  async 'narrate-story'(job, services) {
    const { db, cloudinary } = services;
    const story = await readStory(db, job.tenant, job.payload.storyId);
    const voiceId = job.payload.voiceId ?? services.elevenlabs.defaultVoiceId;
    const text = story.pages.map((page) => page.text).join('\n\n');
    const { audio, seconds, webVtt } = await narrate(job, services, {
      text,
      voiceId,
      language: story.language,
    });
    const bytes = once(async () => (await readArtifact(db, audio.artifactId, job.tenant)).bytes);
    const publicId = `stories/${story.id}/narration`;

    job.progress(70, 'uploading the narration');
    const uploaded = await job.step('upload-audio', async (call) =>
      cloudinary.upload({ bytes: await bytes(), publicId, type: 'video', contentType: mp3Type }, call),
    );
    const captioned = await job.step('upload-captions', (call) => {
      const file = {
        bytes: new TextEncoder().encode(webVtt),
        publicId: `${publicId}.vtt`,
        contentType: 'text/vtt',
      };
      return cloudinary.upload({ ...file, type: 'raw' }, call);
    });
    job.progress(85, 'listening to the narration');
    const spoken = { voiceId, text, seconds, audioUrl: uploaded.url, captionsUrl: captioned.url };
    const { wordErrorRate: rate, flagged } = await check(job, services, { story, bytes, spoken });
    const { audioUrl, captionsUrl } = spoken;
    return { audioUrl, captionsUrl, durationSeconds: seconds, wordErrorRate: rate, flagged };
  },
});

type NarrateJob = Job<{ storyId: string }>;

/** The whole narration as one MP3 and its captions. */
async function narrate(
  job: NarrateJob,
  services: Services,
  wish: { text: string; voiceId: string; language: string },
): Promise<Narration> {
  const { text, voiceId, language } = wish;
  const { elevenlabs } = services;
  const chunks = chunkText(text, elevenlabs.maxCharacters, language).filter((chunk) => chunk.trim() !== '');
  const speeches: { audio: ArtifactRef; alignment: Alignment; seconds: number }[] = [];
  for (const [index, chunk] of chunks.entries()) {
    job.progress((60 * index) / chunks.length, `speaking part ${index + 1} of ${chunks.length}`);
    const request = { text: chunk.trim(), voiceId, language, ...surroundings(chunks, index) };
    const speech = await job.step(`speak-${index + 1}`, async (call) => {
      const { audio, alignment, model } = await elevenlabs.speak(request, call);
      return { audio, contentType: mp3Type, alignment, seconds: playable(audio).seconds, model };
    });
    speeches.push(speech);
  }
  const first = speeches[0];
  if (first === undefined)
    throw new Failure('bad_input', 'the narration failed: the story has no text; write it again');
  const joined =
    speeches.length === 1 ? { ...first, startSeconds: [0] } : await join(job, services, speeches);
  const timed = speeches.map(({ alignment }, index) => ({
    alignment,
    startSeconds: joined.startSeconds[index] ?? 0,
  }));
  return { audio: joined.audio, seconds: joined.seconds, webVtt: captions(timed, joined.seconds) };
}

function join(job: NarrateJob, { db }: Services, speeches: readonly { audio: ArtifactRef }[]) {
  return job.step('join', async () => {
    const parts: Mp3[] = [];
    for (const { audio } of speeches)
      parts.push(playable((await readArtifact(db, audio.artifactId, job.tenant)).bytes));
    const { bytes, seconds, startSeconds } = joinMp3(parts);
    return { audio: bytes, contentType: mp3Type, seconds, startSeconds };
  });
}

function playable(bytes: Uint8Array): Mp3 {
  const mp3 = readMp3(bytes);
  if (mp3 !== undefined) return mp3;
  throw new Failure(
    'bad_output',
    'the narration failed: the audio is not a whole MP3; it will be spoken again',
    {
      provider: 'elevenlabs',
    },
  );
}

interface Spoken {
  voiceId: string;
  text: string;
  seconds: number;
  audioUrl: string;
  captionsUrl: string;
}

/** Compares the text with what an independent ear hears, and saves the narration with the answer. Silence is an answer. */
function check(
  job: NarrateJob,
  { deepgram }: Services,
  heard: { story: StoryText; bytes: () => Promise<Uint8Array>; spoken: Spoken },
) {
  const { story, spoken } = heard;
  const { text, seconds, ...row } = spoken;
  return job.step(
    'transcribe',
    async (call) => {
      const { language } = story;
      const audio = { bytes: await heard.bytes(), contentType: mp3Type, language };
      const { text: transcript, model } = await deepgram.transcribe(audio, call);
      const rate = wordErrorRate(text, transcript, language);
      return { transcript, model, wordErrorRate: rate, flagged: rate > flagAbove };
    },
    {
      save: (tx, { transcript, wordErrorRate: rate, flagged }) =>
        saveNarration(tx, {
          ...row,
          storyId: story.id,
          durationSeconds: seconds,
          characters: text.length,
          transcript,
          wordErrorRate: rate,
          flagged,
        }),
    },
  );
}

/** The first call's answer for every call: the audio is read once an attempt, and only when a step needs it. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= read());
}
