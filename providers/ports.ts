// What the handlers see of the outside services. Types only: no handler knows an SDK, no SDK knows a job.
// Every method may throw a Failure with one of the closed codes of shared/errors.ts, and nothing else.
import type { Call } from '../shared/call.ts';

export interface StoryBrief {
  childName: string;
  /** Years, 2 to 12. */
  age: number;
  theme: string;
  /** BCP 47, e.g. `en`. */
  language: string;
  /** How many pages, 3 to 12. */
  pages: number;
}

export interface StoryDraft {
  title: string;
  moral: string;
  /** One paragraph that keeps the pictures alike: style, colours, how the child looks. */
  artDirection: string;
  pages: readonly { text: string; scene: string }[];
  model: string;
}

export interface Gemini {
  /** Writes a story as validated JSON. `bad_output` when the answer does not fit, `content_blocked` when refused. */
  writeStory: (brief: StoryBrief, call: Call) => Promise<StoryDraft>;
  /** Draws one picture. `scene` is what it shows, `artDirection` how. */
  drawPicture: (brief: { scene: string; artDirection: string }, call: Call) => Promise<Picture>;
  ping: (signal: AbortSignal) => Promise<void>;
}

export interface Picture {
  bytes: Uint8Array;
  /** `image/png` or `image/jpeg`. */
  contentType: string;
  model: string;
}

/** Start and end of every character of the text, in seconds from the start of the audio. */
export interface Alignment {
  characters: readonly string[];
  startSeconds: readonly number[];
  endSeconds: readonly number[];
}

export interface Speech {
  /** MP3. */
  audio: Uint8Array;
  alignment: Alignment;
  model: string;
}

export interface ElevenLabs {
  /** Speaks one text of at most `maxCharacters`. `previousText`/`nextText` keep the voice steady across chunks. */
  speak: (text: SpeechRequest, call: Call) => Promise<Speech>;
  /** The limit per request of the configured model, in characters. */
  readonly maxCharacters: number;
  /** The voice used when a payload names none. */
  readonly defaultVoiceId: string;
  ping: (signal: AbortSignal) => Promise<void>;
}

export interface SpeechRequest {
  text: string;
  voiceId: string;
  language: string;
  /** That of the answer to go on from; left out: the configured one. */
  model?: string;
  previousText?: string;
  nextText?: string;
}

export interface Transcript {
  text: string;
  durationSeconds: number;
  model: string;
}

export interface Deepgram {
  /** Transcribes audio bytes. No words is an answer (`text: ''`), not an error. */
  transcribe: (
    audio: { bytes: Uint8Array; contentType: string; language: string },
    call: Call,
  ) => Promise<Transcript>;
  /** Speaks one text of at most `maxCharacters`: the voice that stands in. Its times are spread over the sound. */
  speak: (text: { text: string; voice: string }, call: Call) => Promise<Speech>;
  /** Characters of one request of `speak`. */
  readonly maxCharacters: number;
  /** The configured voice for a language; undefined when there is none. */
  voiceFor: (language: string) => string | undefined;
  ping: (signal: AbortSignal) => Promise<void>;
}

type AssetType = 'image' | 'video' | 'raw';

export interface Upload {
  bytes: Uint8Array;
  /** Fixed by the caller, so that a repeated upload overwrites instead of doubling. `stories/<id>/page-3`. */
  publicId: string;
  /** Audio is `video`, captions are `raw` (Cloudinary's own sorting). */
  type: AssetType;
  contentType: string;
  /** Widths in pixels of the variants to make at once (images only). */
  widths?: readonly number[];
}

export interface Asset {
  publicId: string;
  version: number;
  /** https, or http on the sandbox: opens in a browser. */
  url: string;
  bytes: number;
  width?: number;
  height?: number;
  variants: readonly { width: number; url: string }[];
}

export interface Cloudinary {
  upload: (upload: Upload, call: Call) => Promise<Asset>;
  ping: (signal: AbortSignal) => Promise<void>;
}

export interface Mail {
  to: string;
  subject: string;
  html: string;
  text: string;
  /** Fixed per job and step, so that a receiver can drop a repeated mail. Without angle brackets. */
  messageId: string;
}

export interface Smtp {
  /** Resolves when the server accepted the mail for its one recipient. */
  send: (mail: Mail, call: Call) => Promise<{ messageId: string; response: string }>;
  ping: (signal: AbortSignal) => Promise<void>;
}

export interface Providers {
  gemini: Gemini;
  elevenlabs: ElevenLabs;
  deepgram: Deepgram;
  cloudinary: Cloudinary;
  smtp: Smtp;
}
