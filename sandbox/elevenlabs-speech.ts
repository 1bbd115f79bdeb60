// The request for speech as ElevenLabs reads it: schema, voice, model, format and limits, each refusal in the vendor's shape.
import { z } from 'zod';
import {
  defaultFormat,
  defaultModelId,
  isKnownFormat,
  models,
  servedFormats,
  voices,
  type Model,
  type ServedFormat,
  type Voice,
} from './elevenlabs-data.ts';
import type { Answer, SandboxRequest } from './frame.ts';

/** `{"detail":{"status","message"}}`: how the vendor refuses everything but a malformed request. */
export function refuse(status: number, name: string, message: string): Answer {
  return { status, body: { detail: { status: name, message } } };
}

const optional = <T extends z.ZodType>(schema: T) => schema.nullish();
const text = z.string();
const unit = z.number().min(0).max(1);

const bodySchema = z.strictObject({
  text,
  model_id: optional(text),
  language_code: optional(text),
  voice_settings: optional(
    z.strictObject({
      stability: optional(unit),
      similarity_boost: optional(unit),
      style: optional(unit),
      use_speaker_boost: optional(z.boolean()),
      speed: optional(z.number().min(0.7).max(1.2)),
    }),
  ),
  pronunciation_dictionary_locators: optional(z.array(z.unknown()).max(3)),
  seed: optional(z.int().min(0).max(4_294_967_295)),
  previous_text: optional(text),
  next_text: optional(text),
  previous_request_ids: optional(z.array(text).max(3)),
  next_request_ids: optional(z.array(text).max(3)),
  use_pvc_as_ivc: optional(z.boolean()),
  apply_text_normalization: optional(z.enum(['auto', 'on', 'off'])),
  apply_language_text_normalization: optional(z.boolean()),
  audio_effects: optional(z.unknown()),
});

interface Complaint {
  type: string;
  loc: (string | number)[];
  msg: string;
}

function complaints(issue: z.core.$ZodIssue, body: unknown): Complaint[] {
  const loc = ['body', ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') {
    const msg = 'Extra inputs are not permitted';
    return issue.keys.map((key) => ({ type: 'extra_forbidden', loc: [...loc, key], msg }));
  }
  const missing = issue.path.length === 1 && !(String(issue.path[0]) in Object(body));
  return [
    missing
      ? { type: 'missing', loc, msg: 'Field required' }
      : { type: 'value_error', loc, msg: issue.message },
  ];
}

const malformed = (detail: Complaint[]): Answer => ({ status: 422, body: { detail } });

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

export interface Speech {
  text: string;
  voice: Voice;
  model: Model;
  format: ServedFormat;
  credits: number;
}

export type Read<T> = { ok: true; value: T } | { ok: false; answer: Answer };
const no = (answer: Answer): { ok: false; answer: Answer } => ({ ok: false, answer });

function readFormat(req: SandboxRequest): Read<ServedFormat> {
  const format = req.query.get('output_format') ?? defaultFormat;
  if (servedFormats.has(format as ServedFormat)) return { ok: true, value: format as ServedFormat };
  if (isKnownFormat(format)) {
    const message = `The output format ${format} is not available on this plan (the sandbox makes mp3 at 44.1 kHz).`;
    return no(refuse(403, 'output_format_not_allowed', message));
  }
  return no(
    malformed([{ type: 'enum', loc: ['query', 'output_format'], msg: `Input should be a known format` }]),
  );
}

function findVoiceAndModel(
  voiceId: string | undefined,
  modelId: string,
): Read<{ voice: Voice; model: Model }> {
  const voice = voices.find(({ voice_id }) => voice_id === voiceId);
  if (!voice)
    return no(refuse(400, 'voice_not_found', `A voice with the voice_id ${voiceId} was not found.`));
  const model = models.find(({ model_id }) => model_id === modelId);
  if (!model) return no(refuse(400, 'model_not_found', `A model with model ID ${modelId} does not exist.`));
  return { ok: true, value: { voice, model } };
}

/** Everything the vendor checks before it speaks, in its order. */
export function readSpeech(req: SandboxRequest): Read<Speech> {
  const body = readJson(req.body);
  if (body === undefined)
    return no(malformed([{ type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error' }]));
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) return no(malformed(parsed.error.issues.flatMap((issue) => complaints(issue, body))));
  const format = readFormat(req);
  if (!format.ok) return format;
  const found = findVoiceAndModel(req.params[0], parsed.data.model_id ?? defaultModelId);
  if (!found.ok) return found;
  const { voice, model } = found.value;
  const spoken = parsed.data.text;
  const length = Array.from(spoken).length;
  if (spoken.trim() === '')
    return no(refuse(400, 'input_text_empty', 'Input text is empty; it needs one character at least.'));
  const limit = model.maximum_text_length_per_request;
  if (length > limit) {
    const message = `This request's text has ${length} characters and exceeds the character limit of ${limit} characters.`;
    return no(refuse(400, 'max_character_limit_exceeded', message));
  }
  const credits = Math.ceil(length * model.character_cost_multiplier);
  return { ok: true, value: { text: spoken, voice, model, format: format.value, credits } };
}
