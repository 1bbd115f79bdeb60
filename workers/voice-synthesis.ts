// The narration of a story: spoken chunk by chunk, joined, uploaded with captions, and listened to by somebody else.
// Every paid answer is a step of its own, so a retry speaks only the chunks that are still missing. When the voice that was
// asked for cannot speak, another one narrates the whole story (narration/voices.ts), and stays with it once it has begun.
import type { Call } from '../shared/call.ts';
import { Failure } from '../shared/errors.ts';
import type { Tx } from '../ledger/db.ts';
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
import { firstVoice, gaveOut, standIn, standInSuffix, type Manner, type Voice } from './narration/voices.ts';
import { flagAbove, wordErrorRate } from './narration/word-error-rate.ts';

const mp3Type = 'audio/mpeg';

interface Narration {
  /** Who spoke it, as the first part was spoken. */
  voice: Voice;
  audio: ArtifactRef;
  seconds: number;
  webVtt: string;
}

export const voiceSynthesisWorker = defineWorker(voiceSynthesis, {
  async 'narrate-story'(job, services) {
    const story = await readStory(services.db, job.tenant, job.payload.storyId);
    const { voiceId } = job.payload;
    const begun = await job.remembers(speakStep({ suffix: standInSuffix }, 0));
    const other = standIn(services, story.language, begun);
    const first = firstVoice(services, { voiceId, language: story.language });
    // What the other voice has spoken is paid for: to begin again with the first one would be to pay twice.
    if (begun && other !== undefined)
      return publish(job, services, story, other).catch((refused: unknown) => {
        if (!isRefused(refused)) throw refused;
        return publish(job, services, story, first);
      });
    try {
      return await publish(job, services, story, first);
    } catch (thrown) {
      if (other === undefined || !(await gaveOut(thrown, 'elevenlabs', job))) throw thrown;
      job.progress(5, 'narrating in another voice');
      return publish(job, services, story, other).catch((refused: unknown) => {
        throw isRefused(refused) ? thrown : refused;
      });
    }
  },
});

/** The voice in reserve, and not this text: then the job waits for the voice that was asked for, as it would without a reserve. */
function isRefused(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.provider === 'deepgram' && thrown.code === 'bad_input';
}

/** One for each chunk and voice. */
function speakStep({ suffix }: Pick<Voice, 'suffix'>, index: number): string {
  return `speak-${index + 1}${suffix}`;
}

type NarrateJob = Job<{ storyId: string }>;

/** Speaks the story, uploads sound and captions, and has them checked. */
async function publish(job: NarrateJob, services: Services, story: StoryText, asked: Voice) {
  const { db, cloudinary } = services;
  const text = story.pages.map((page) => page.text).join('\n\n');
  const narration = await narrate(job, services, { text, language: story.language, voice: asked });
  const { voice, audio, seconds, webVtt } = narration;
  const bytes = once(async () => (await readArtifact(db, audio.artifactId, job.tenant)).bytes);
  const publicId = `${services.storyFolder(story.id)}/narration`;

  job.progress(70, 'uploading the narration');
  const uploaded = await job.step(`upload-audio${voice.suffix}`, async (call) =>
    cloudinary.upload({ bytes: await bytes(), publicId, type: 'video', contentType: mp3Type }, call),
  );
  const captioned = await job.step(`upload-captions${voice.suffix}`, (call) => {
    const file = {
      bytes: new TextEncoder().encode(webVtt),
      publicId: `${publicId}.vtt`,
      contentType: 'text/vtt',
    };
    return cloudinary.upload({ ...file, type: 'raw' }, call);
  });
  job.progress(85, 'listening to the narration');
  const spoken = { voice, text, seconds, audioUrl: uploaded.url, captionsUrl: captioned.url };
  const { wordErrorRate: rate, flagged } = await check(job, services, { story, bytes, spoken });
  const { audioUrl, captionsUrl } = spoken;
  const standsIn = voice.provider !== 'elevenlabs';
  return {
    audioUrl,
    captionsUrl,
    durationSeconds: seconds,
    wordErrorRate: rate,
    flagged,
    standIn: standsIn,
  };
}

interface ToSpeak {
  text: string;
  language: string;
  voice: Voice;
}

/** The whole narration as one MP3 and its captions. */
async function narrate(job: NarrateJob, services: Services, told: ToSpeak): Promise<Narration> {
  const { speeches, voice } = await speakAll(job, told);
  const first = speeches[0];
  if (first === undefined)
    throw new Failure('bad_input', 'the narration failed: the story has no text; write it again');
  const joined =
    speeches.length === 1 ? { ...first, startSeconds: [0] } : await join(job, services, { speeches, voice });
  const timed = speeches.map(({ alignment }, index) => ({
    alignment,
    startSeconds: joined.startSeconds[index] ?? 0,
  }));
  const { audio, seconds } = joined;
  return { voice, audio, seconds, webVtt: captions(timed, seconds) };
}

/** Cut and spoken as its first part was, which an earlier attempt may have done before a deploy changed voice or model. */
async function speakAll(job: NarrateJob, { text, language, voice: asked }: ToSpeak) {
  const cutFor = (voice: Voice): string[] =>
    chunkText(text, voice.maxCharacters, language).filter((chunk) => chunk.trim() !== '');
  const speeches: Spoken[] = [];
  let voice = asked;
  let chunks = cutFor(voice);
  for (let index = 0; index < chunks.length; index += 1) {
    job.progress((60 * index) / chunks.length, `speaking part ${index + 1} of ${chunks.length}`);
    const part = await speakPart(job, { voice, chunks, index });
    speeches.push(part);
    if (index > 0) continue;
    voice = voice.goOn(part.manner ?? formerManner(part, voice));
    chunks = cutFor(voice);
  }
  return { speeches, voice };
}

/** Of Deepgram the model is the voice. */
function formerManner({ model }: Spoken, { provider, id, maxCharacters }: Voice): Manner {
  return { voiceId: provider === 'deepgram' ? model : id, model, maxCharacters };
}

interface Spoken {
  model: string;
  audio: ArtifactRef;
  alignment: Alignment;
  seconds: number;
  /** Left out by builds before. */
  manner?: Manner;
}

function speakPart(
  job: NarrateJob,
  { voice, chunks, index }: { voice: Voice; chunks: readonly string[]; index: number },
): Promise<Spoken> {
  return job.step(speakStep(voice, index), async (call) => {
    const text = (chunks[index] ?? '').trim();
    const { audio, alignment, model } = await voice.speak(text, surroundings(chunks, index), call);
    const manner: Manner = { voiceId: voice.id, model, maxCharacters: voice.maxCharacters };
    return { audio, contentType: mp3Type, alignment, seconds: playable(audio, voice).seconds, model, manner };
  });
}

function join(
  job: NarrateJob,
  { db }: Services,
  { speeches, voice }: { speeches: readonly { audio: ArtifactRef }[]; voice: Voice },
) {
  return job.step(`join${voice.suffix}`, async () => {
    const parts: Mp3[] = [];
    for (const { audio } of speeches)
      parts.push(playable((await readArtifact(db, audio.artifactId, job.tenant)).bytes, voice));
    const { bytes, seconds, startSeconds } = joinMp3(parts);
    return { audio: bytes, contentType: mp3Type, seconds, startSeconds };
  });
}

function playable(bytes: Uint8Array, { provider }: Voice): Mp3 {
  const mp3 = readMp3(bytes);
  if (mp3 !== undefined) return mp3;
  throw new Failure(
    'bad_output',
    'the narration failed: the audio is not a whole MP3; it will be spoken again',
    { provider },
  );
}

interface Published {
  voice: Voice;
  text: string;
  seconds: number;
  audioUrl: string;
  captionsUrl: string;
}

interface Heard {
  story: StoryText;
  bytes: () => Promise<Uint8Array>;
  spoken: Published;
}
interface Verdict {
  transcript: string;
  wordErrorRate: number;
  flagged: boolean;
}

/**
 * Compares the text with what an independent ear hears, and saves the narration with the answer. Silence is an answer; an ear
 * that stays deaf is none, and the narration is published with a flag: it is spoken, paid for, and only not checked.
 */
async function check(job: NarrateJob, services: Services, heard: Heard): Promise<Verdict> {
  const { voice } = heard.spoken;
  const save = (tx: Tx, verdict: Verdict): Promise<void> => saveNarration(tx, rowOf(heard, verdict));
  try {
    return await job.step(`transcribe${voice.suffix}`, (call) => listen(services, heard, call), { save });
  } catch (thrown) {
    if (!(await gaveOut(thrown, 'deepgram', job))) throw thrown;
    const unheard = { transcript: '', wordErrorRate: 1, flagged: true };
    return job.step(`unheard${voice.suffix}`, () => Promise.resolve(unheard), { save });
  }
}

async function listen({ deepgram }: Services, { story, bytes, spoken }: Heard, call: Call) {
  const { language } = story;
  const audio = { bytes: await bytes(), contentType: mp3Type, language };
  const { text: transcript, model } = await deepgram.transcribe(audio, call);
  const rate = wordErrorRate(spoken.text, transcript, language);
  return { transcript, model, wordErrorRate: rate, flagged: rate > flagAbove };
}

function rowOf({ story, spoken }: Heard, { transcript, wordErrorRate: rate, flagged }: Verdict) {
  const { voice, text, seconds, audioUrl, captionsUrl } = spoken;
  const judged = { transcript, wordErrorRate: rate, flagged };
  const sound = { audioUrl, captionsUrl, durationSeconds: seconds, characters: text.length };
  return { storyId: story.id, voiceId: voice.id, ...sound, ...judged };
}

/** The first call's answer for every call: the audio is read once an attempt, and only when a step needs it. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= read());
}
