// Stands in for Deepgram (v1): speaks (sandbox/deepgram-speak.ts), and hears the words that our own MP3s carry, from the bytes it is sent.
// Wire format: @deepgram/sdk 5.13.0 and developers.deepgram.com/reference/errors; tests/sandbox/golden/deepgram.json holds samples.
import { createHash } from 'node:crypto';
import { refuse, speakAura } from './deepgram-speak.ts';
import { readOptions, type ListenOptions } from './deepgram-options.ts';
import { hearWords, splitUtterances, type HeardWord } from './deepgram-words.ts';
import type { Fault } from './faults.ts';
import type { Answer, Emulator, Route, SandboxRequest, World } from './frame.ts';
import { readMp3, type Mp3 } from './mp3.ts';

function transcriptOf(words: readonly HeardWord[]): string {
  return words.map(({ word, punctuated_word }) => punctuated_word ?? word).join(' ');
}

function meanConfidence(words: readonly HeardWord[]): number {
  if (words.length === 0) return 0;
  return words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length;
}

function utterancesOf(words: readonly HeardWord[], { pauseSeconds }: ListenOptions): object[] {
  return splitUtterances(words, pauseSeconds).map((run, index) => ({
    ...spanOf(run),
    confidence: meanConfidence(run),
    channel: 0,
    transcript: transcriptOf(run),
    words: run,
    id: `utterance-${index}`,
  }));
}

const spanOf = (run: readonly HeardWord[]): { start: number; end: number } => ({
  start: run[0]?.start ?? 0,
  end: run.at(-1)?.end ?? 0,
});

/** One paragraph: what we speak has no speakers to tell apart. */
function paragraphsOf(words: readonly HeardWord[]): object {
  const sentences = splitUtterances(words, Infinity).map((run) => ({
    text: transcriptOf(run),
    ...spanOf(run),
  }));
  const paragraph = { sentences, num_words: words.length, ...spanOf(words) };
  return { transcript: `\n${transcriptOf(words)}`, paragraphs: words.length > 0 ? [paragraph] : [] };
}

const modelId = '2187e11a-3532-4498-b076-81fa530bdd49';

function metadataOf(req: SandboxRequest, bytes: Buffer, mp3: Mp3, options: ListenOptions): object {
  return {
    transaction_key: 'deprecated',
    request_id: req.requestId,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    created: new Date().toISOString(),
    duration: mp3.seconds,
    channels: 1,
    models: [modelId],
    model_info: { [modelId]: { name: options.model, version: '2026-01-01.0', arch: options.model } },
    ...(options.tags.length > 0 ? { tags: options.tags } : {}),
  };
}

function transcribe(req: SandboxRequest, bytes: Buffer, options: ListenOptions): Answer {
  const mp3 = readMp3(bytes);
  if (!mp3) {
    return refuse(
      req,
      400,
      'Bad Request',
      'Bad Request: failed to process audio: corrupt or unsupported data',
    );
  }
  const words = hearWords(mp3).map((word) => {
    if (options.punctuated) return word;
    const { punctuated_word: _, ...bare } = word;
    return bare;
  });
  const alternative = {
    transcript: transcriptOf(words),
    confidence: meanConfidence(words),
    words,
    ...(options.paragraphs && { paragraphs: paragraphsOf(words) }),
  };
  const body = {
    metadata: metadataOf(req, bytes, mp3, options),
    results: {
      channels: [{ alternatives: [alternative] }],
      ...(options.utterances ? { utterances: utterancesOf(words, options) } : {}),
    },
  };
  const accepted = { operation: 'listen', units: { seconds: mp3.seconds }, note: options.model };
  return { status: 200, headers: { 'dg-request-id': req.requestId }, body, accepted };
}

/** The bytes to hear: the body itself, or what a link to our own uploads gives. Nothing is fetched from elsewhere. */
async function soundOf(req: SandboxRequest, world: World): Promise<Buffer | Answer> {
  if (!req.headers['content-type']?.startsWith('application/json')) return req.body;
  let url: unknown;
  try {
    url = (JSON.parse(req.body.toString('utf8')) as { url?: unknown } | null)?.url;
  } catch {
    url = undefined;
  }
  if (typeof url !== 'string') {
    const message = 'Content-type was application/json, but we could not process the JSON payload.';
    return refuse(req, 400, 'Bad Request', message);
  }
  const remote = (why: string): Answer =>
    refuse(req, 400, 'REMOTE_CONTENT_ERROR', `The remote server hosting the media ${why}.`);
  if (!url.startsWith(`${world.url}/cloudinary/`)) return remote('cannot be reached from the sandbox');
  const answer = await fetch(url);
  if (!answer.ok) return remote(`returned a client error: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

function listen(world: World): Route['accept'] {
  return async (req) => {
    const options = readOptions(req.query);
    if (typeof options === 'string') return refuse(req, 400, 'Bad Request', options);
    const sound = await soundOf(req, world);
    return Buffer.isBuffer(sound) ? transcribe(req, sound, options) : sound;
  };
}

const unauthorized = (req: SandboxRequest): Answer =>
  refuse(req, 401, 'INVALID_AUTH', 'Invalid credentials.');

const refusals: Record<number, [code: string, message: string]> = {
  401: ['INVALID_AUTH', 'Invalid credentials.'],
  402: [
    'ASR_PAYMENT_REQUIRED',
    'Project does not have enough credits for an ASR request and does not have an overage agreement.',
  ],
  429: ['TOO_MANY_REQUESTS', 'Too many requests. Please try again later.'],
};

function faultAnswer(fault: Fault, req: SandboxRequest): Answer | undefined {
  const status = fault.kind === 'quota' ? 402 : fault.kind === 'status' ? fault.status : undefined;
  if (status === undefined || (fault.kind === 'status' && fault.body !== undefined)) return undefined;
  const [code, message] = refusals[status] ?? ['INTERNAL_SERVER_ERROR', 'An internal server error occurred.'];
  const headers = fault.kind === 'status' ? fault.headers : undefined;
  return { ...refuse(req, status, code, message), ...(headers ? { headers } : {}) };
}

export function deepgramEmulator(world: World): Emulator {
  const keyed = (route: Route): Route => ({
    ...route,
    accept: (req) =>
      /^token (.*)$/i.exec(req.headers.authorization ?? '')?.[1] === world.keys.deepgram
        ? route.accept(req)
        : unauthorized(req),
  });
  const projects = [{ project_id: '6f0a5b1e-3c5c-4d4f-9d53-000000000001', name: 'Storytime sandbox' }];
  return {
    provider: 'deepgram',
    prefix: '/deepgram',
    routes: [
      keyed({ method: 'POST', pattern: '/v1/listen', operation: 'listen', accept: listen(world) }),
      keyed({ method: 'POST', pattern: '/v1/speak', operation: 'speak', accept: speakAura }),
      keyed({
        method: 'GET',
        pattern: '/v1/projects',
        operation: 'projects',
        accept: () => ({ status: 200, body: { projects } }),
      }),
    ],
    notFound: (req) => refuse(req, 404, 'NOT_FOUND', 'The requested resource was not found.'),
    faultAnswer,
  };
}
