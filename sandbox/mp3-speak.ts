// Speaks a text: an audible MP3 (44.1 or 22.05 kHz, mono, constant bit rate) of words / 2.5 seconds, with its text in an ID3 tag.
// Every word has its own run of whole frames. The encoder keeps no bit reservoir, so frames stand alone: sounds are
// encoded once, kept, and laid one after the other, which makes five minutes of speech a matter of milliseconds.
import { Mp3Encoder } from '@breezystack/lamejs';
import { writeTag } from './id3.ts';
import { readHeader } from './mp3.ts';
import { sampleRateHz, vowels, vowelSound, type Vowel } from './voice.ts';

const frameSamples = 1152;
export const frameSeconds = frameSamples / sampleRateHz;
const wordSeconds = 0.4;
const voicedFrames = 12;

type Kbps = 32 | 48 | 64 | 96 | 128 | 192;

export interface Speaker {
  kbps: Kbps;
  /** The voice's middle pitch, in Hz. */
  pitchHz: number;
  /** Half the samples (MPEG-2, 22.05 kHz): its frames hold half as many, so they last as long. */
  half?: boolean;
}

export function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter(Boolean);
}

/** The frame at which word number `index` (from 0) begins; for the number of words: where the speech ends. */
export function wordStartFrame(index: number): number {
  return Math.round((index * wordSeconds) / frameSeconds);
}

/** The frame at which the sound of the word is over and the gap begins. */
export function wordEndFrame(index: number): number {
  return wordStartFrame(index) + voicedFrames;
}

function split(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = readHeader(bytes, at);
    if (!header)
      throw new Error('the encoder gave something that is not a frame: unknown; report this as a bug');
    frames.push(bytes.subarray(at, at + header.length));
    at += header.length;
  }
  return frames;
}

/** The frames of one sound. The first that the encoder gives is its own delay (1105 samples) and is left out. */
function encode(full: Int16Array, kbps: Kbps, half: boolean): Buffer {
  const every = half ? 2 : 1;
  const pcm = half ? full.filter((_, index) => index % 2 === 0) : full;
  const frameSize = frameSamples / every;
  const encoder = new Mp3Encoder(1, sampleRateHz / every, kbps);
  const silence = new Int16Array(frameSamples);
  const parts = [encoder.encodeBuffer(pcm), encoder.encodeBuffer(silence), encoder.flush()];
  // The package says Uint8Array and gives Int8Array: Buffer.from makes bytes of either.
  const frames = split(Buffer.concat(parts.map((part) => Buffer.from(part))));
  return Buffer.concat(frames.slice(1, 1 + pcm.length / frameSize));
}

interface Sound {
  /** Left out: silence. */
  vowel?: Vowel;
  hz: number;
  frames: number;
  kbps: Kbps;
  half: boolean;
}

/** 32 sounds for each voice and bit rate, about 100 kB. A sound has an encoder of its own, so its bytes never depend on what came before. */
const sounds = new Map<string, Buffer>();

function soundOf({ vowel, hz, frames, kbps, half }: Sound): Buffer {
  const key = `${vowel ?? '-'} ${hz} ${frames} ${kbps} ${half}`;
  const known = sounds.get(key);
  if (known) return known;
  const samples = frames * frameSamples;
  const pcm = vowel === undefined ? new Int16Array(samples) : vowelSound(vowel, hz, samples);
  const made = encode(pcm, kbps, half);
  sounds.set(key, made);
  return made;
}

/** The vowels of a word, one a syllable, at most three; letters of other scripts get one by their code. */
function syllables(word: string): Vowel[] {
  const plain = word.normalize('NFD').toLowerCase().replaceAll('y', 'i');
  const found = plain.match(/[aeiou]+/g)?.map((group) => group[0] as Vowel);
  const one = vowels[(word.codePointAt(0) ?? 0) % vowels.length] ?? 'a';
  return (found ?? [one]).slice(0, 3);
}

/** Semitones from the middle: few, because each one costs an encoder run once. */
const pitchSteps = { falling: -3, level: 0 };

/** A sentence ends low, a question does not, and the words between go up and down. */
function pitchOf(word: string, index: number, middleHz: number): number {
  let low = (word.length + index) % 2 === 1;
  if (/[.!…]["”’)]*$/u.test(word)) low = true;
  if (/\?["”’)]*$/u.test(word)) low = false;
  return Math.round(middleHz * 2 ** ((low ? pitchSteps.falling : pitchSteps.level) / 12));
}

function speakWord(word: string, index: number, { kbps, pitchHz, half = false }: Speaker): Buffer[] {
  const parts = syllables(word);
  const frames = voicedFrames / parts.length;
  const hz = pitchOf(word, index, pitchHz);
  const gap = wordStartFrame(index + 1) - wordEndFrame(index);
  const voiced = parts.map((vowel) => soundOf({ vowel, hz, frames, kbps, half }));
  return [...voiced, soundOf({ hz: 0, frames: gap, kbps, half })];
}

/** The same text and speaker give the same bytes. An empty text gives a tag and no audio. */
export function speak(text: string, speaker: Speaker): Buffer {
  const words = wordsOf(text);
  return Buffer.concat([writeTag(text), ...words.flatMap((word, index) => speakWord(word, index, speaker))]);
}

/** When each character of the text is heard, in seconds from the start: the vendor's own shape. */
export interface Alignment {
  characters: string[];
  character_start_times_seconds: number[];
  character_end_times_seconds: number[];
}

const toSeconds = (frames: number): number => Math.round(frames * frameSeconds * 1000) / 1000;

/** Letters share the sound of their word; the space after a word is its gap. Characters are code points. */
export function align(text: string): Alignment {
  const all: Alignment = {
    characters: [],
    character_start_times_seconds: [],
    character_end_times_seconds: [],
  };
  const put = (run: string, from: number, to: number): void => {
    const characters = Array.from(run);
    characters.forEach((character, index) => {
      all.characters.push(character);
      all.character_start_times_seconds.push(toSeconds(from + ((to - from) * index) / characters.length));
      all.character_end_times_seconds.push(toSeconds(from + ((to - from) * (index + 1)) / characters.length));
    });
  };
  let index = 0;
  for (const run of text.match(/\S+|\s+/gu) ?? []) {
    if (/\s/u.test(run)) {
      put(run, index === 0 ? 0 : wordEndFrame(index - 1), wordStartFrame(index));
    } else {
      put(run, wordStartFrame(index), wordEndFrame(index));
      index += 1;
    }
  }
  return all;
}
