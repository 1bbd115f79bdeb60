// Google Gemini: writes the stories and draws the pictures. The only file that knows @google/genai.
// One call is one request: the SDK's own continuation, function calling and retries are off, for each of them bills.
import type { GenerateContentConfig, GoogleGenAI, SafetySetting } from '@google/genai';
import type { Call, Usage } from '../shared/call.ts';
import { toFailure } from './failure.ts';
import {
  chargeOrUsual,
  geminiTranslator,
  partsOf,
  readAnswer,
  refusalOf,
  tokensOf,
  type GeminiAnswer,
} from './gemini-answer.ts';
import { picturePrompt, readStory, storyInstruction, storyPrompt, storySchema } from './gemini-story.ts';
import type { Guard } from './guard.ts';
import { billed, watchedFetch, type WatchedFetch } from './http.ts';
import { lazily } from './lazy.ts';
import { imageTypeOf } from './media.ts';
import { pictureSize } from './picture-size.ts';
import type { Gemini, Picture, StoryBrief, StoryDraft } from './ports.ts';

export interface GeminiOptions {
  apiKey: string;
  /** Without `/v1beta`; default: Google's own. */
  baseUrl?: string;
  storyModel: string;
  imageModel: string;
  /** One for each model: what stops the one says nothing about the other. */
  guards: { text: Guard; pictures: Guard };
  /** Milliseconds one attempt may take; default 90 s. */
  deadlineMs?: number;
}

interface Ask<T> {
  operation: string;
  guard: Guard;
  model: string;
  text: string;
  config: GenerateContentConfig;
  /** Bytes of an answer; what is longer cannot be a good one. */
  maxBytes: number;
  /** Values in its JSON, the commas of its text among them. */
  maxValues: number;
  /** What a good answer uses, about: charged for one that was accepted and does not say it. */
  usual: readonly Usage[];
  /** Turns an answer that was finished properly into the result, or says what is wrong with it. */
  read: (answer: GeminiAnswer) => T | string;
}

const safetySettings = [
  { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_LOW_AND_ABOVE' },
  { category: 'HARM_CATEGORY_HATE_SPEECH', threshold: 'BLOCK_LOW_AND_ABOVE' },
  { category: 'HARM_CATEGORY_SEXUALLY_EXPLICIT', threshold: 'BLOCK_LOW_AND_ABOVE' },
  { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', threshold: 'BLOCK_MEDIUM_AND_ABOVE' },
] as SafetySetting[];

async function load(options: GeminiOptions): Promise<GoogleGenAI> {
  const { GoogleGenAI: Client } = await import('@google/genai');
  return new Client({
    apiKey: options.apiKey,
    // Said outright, or GOOGLE_GENAI_USE_VERTEXAI and GOOGLE_GEMINI_BASE_URL would decide; 3.x defaults to v1.
    vertexai: false,
    apiVersion: 'v1beta',
    httpOptions: { baseUrl: options.baseUrl ?? 'https://generativelanguage.googleapis.com' },
  });
}

/** What is cleaned and uploaded later; we ask for 1K. */
const mostPixels = 40_000_000;

function readPicture(answer: GeminiAnswer, model: string): Picture | string {
  const data = partsOf(answer).find((part) => part.inlineData?.data !== undefined)?.inlineData?.data;
  if (data === undefined) return 'the answer has no picture';
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  const contentType = imageTypeOf(bytes);
  if (contentType === undefined) return 'the picture is neither a PNG nor a JPEG';
  const { width, height } = pictureSize(bytes) ?? { width: 0, height: 0 };
  if (width * height === 0 || width * height > mostPixels) return 'the picture has no sensible size';
  return { bytes, contentType, model: answer.modelVersion ?? model };
}

type Client = () => Promise<GoogleGenAI>;

function configOf(base: GenerateContentConfig, step: string, watched: WatchedFetch): GenerateContentConfig {
  return {
    ...base,
    safetySettings,
    automaticContinuation: false,
    automaticFunctionCalling: { disable: true },
    httpOptions: { headers: { 'x-storytime-step': step }, fetch: watched.fetch },
  };
}

/** Makes one request: charges as soon as the answer is there, then judges it. */
async function ask<T extends object>(
  options: GeminiOptions,
  client: Client,
  wanted: Ask<T>,
  call: Call,
): Promise<T> {
  const { operation, guard, model } = wanted;
  const { models } = await client();
  const watched = watchedFetch(wanted);
  const config = configOf(wanted.config, call.step, watched);
  const attempt = {
    call,
    deadlineMs: options.deadlineMs ?? 90_000,
    paid: true,
    translate: geminiTranslator(watched),
  };
  await call.afford('gemini');
  return guard.run(operation, attempt, async ({ signal }) => {
    const asked = { model, contents: wanted.text, config: { ...config, abortSignal: signal } };
    const raw: unknown = await billed(watched, models.generateContent(asked), () => {
      call.charge({ provider: 'gemini', model, usage: wanted.usual });
    });
    const answer = readAnswer(raw);
    call.charge(chargeOrUsual(answer, model, wanted.usual));
    const result = refusalOf(answer) ?? wanted.read(answer);
    if (typeof result === 'object' && !('why' in result)) return result;
    const diagnosis = typeof result === 'string' ? ({ code: 'bad_output', why: result } as const) : result;
    throw toFailure({ provider: 'gemini', operation }, diagnosis);
  });
}

function usualOf(asked: string, outputTokens: number): Usage[] {
  return [
    { unit: 'input_token', quantity: tokensOf(asked) },
    { unit: 'output_token', quantity: outputTokens },
  ];
}

const maxOutputTokens = 32_768;

function storyOf(options: GeminiOptions, brief: StoryBrief): Ask<StoryDraft> {
  const model = options.storyModel;
  const text = storyPrompt(brief);
  return {
    operation: 'write-story',
    guard: options.guards.text,
    model,
    maxBytes: 2_000_000,
    // A token makes one at most.
    maxValues: 1_000 + maxOutputTokens,
    // Its thoughts, and a text and a scene for each page.
    usual: usualOf(storyInstruction + text, 1_500 + brief.pages * 250),
    text,
    config: {
      systemInstruction: storyInstruction,
      maxOutputTokens,
      responseMimeType: 'application/json',
      responseJsonSchema: storySchema(brief.pages),
    },
    read(answer) {
      const told = partsOf(answer).map((part) => part.text ?? '');
      const draft = readStory(told.join(''), brief.pages);
      return typeof draft === 'string' ? draft : { ...draft, model: answer.modelVersion ?? model };
    },
  };
}

function pictureOf(options: GeminiOptions, brief: { scene: string; artDirection: string }): Ask<Picture> {
  const model = options.imageModel;
  const text = picturePrompt(brief);
  return {
    operation: 'draw-picture',
    guard: options.guards.pictures,
    model,
    // 10 MB of picture as base64: the most that is cleaned and uploaded.
    maxBytes: 14_000_000,
    maxValues: 10_000,
    usual: [...usualOf(text, 1_120), { unit: 'image', quantity: 1 }],
    text,
    config: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '4:3', imageSize: '1K' } },
    read: (answer) => readPicture(answer, model),
  };
}

export function createGemini(options: GeminiOptions): Gemini {
  const client: Client = lazily('gemini', () => load(options));
  return {
    writeStory: (brief, call) => ask(options, client, storyOf(options, brief), call),
    drawPicture: (brief, call) => ask(options, client, pictureOf(options, brief), call),
    async ping(signal) {
      const { models } = await client();
      const watched = watchedFetch({ maxBytes: 1_000_000, maxValues: 10_000 });
      const attempt = {
        call: { signal },
        deadlineMs: 5_000,
        paid: false,
        translate: geminiTranslator(watched),
      };
      await options.guards.text.once('ping', attempt, (one) =>
        models.get({
          model: options.storyModel,
          config: { abortSignal: one.signal, httpOptions: { fetch: watched.fetch } },
        }),
      );
    },
  };
}
