// Reads a generateContent request.
// Field names: the Gemini API side of @google/genai 2.32 (November 2026) and ai.google.dev/api/generate-content.
import type { Answer } from './frame.ts';
import { refusal } from './gemini-errors.ts';
import {
  anything,
  contentShape,
  emptiness,
  isDict,
  readBody,
  texts,
  type Dict,
  type Shape,
  type Violation,
} from './gemini-json.ts';

export interface GenerateRequest {
  /** Every text of the request, system instruction first: what the model goes by. */
  prompt: string;
  responseMimeType: string | undefined;
  /** JSON Schema, or the older OpenAPI subset. */
  schema: unknown;
  /** Upper case; undefined when the model's default is wanted. */
  modalities: string[] | undefined;
  maxOutputTokens: number;
  aspectRatio: string;
  imageSize: string;
}

const configShape: Shape = {
  fields: {
    ...anything(
      'temperature',
      'topP',
      'topK',
      'candidateCount',
      'maxOutputTokens',
      'stopSequences',
      'responseLogprobs',
      'logprobs',
      'presencePenalty',
      'frequencyPenalty',
      'seed',
      'responseMimeType',
      'responseSchema',
      'responseJsonSchema',
      'responseModalities',
      'mediaResolution',
      'speechConfig',
      'audioTranscriptionConfig',
      'enableEnhancedCivicAnswers',
    ),
    thinkingConfig: { fields: anything('includeThoughts', 'thinkingBudget', 'thinkingLevel') },
    imageConfig: { fields: anything('aspectRatio', 'imageSize', 'personGeneration') },
  },
};
const requestShape: Shape = {
  fields: {
    ...anything('model', 'tools', 'toolConfig', 'cachedContent', 'serviceTier', 'store', 'continuationToken'),
    contents: { list: contentShape },
    systemInstruction: contentShape,
    safetySettings: { list: { fields: anything('category', 'threshold') } },
    generationConfig: configShape,
  },
};

function modalitiesOf(config: Dict, found: Violation[]): string[] | undefined {
  const asked = config['responseModalities'];
  if (!Array.isArray(asked)) return undefined;
  return asked.map((one: unknown, index) => {
    const name = String(one).toUpperCase();
    if (!['TEXT', 'IMAGE', 'AUDIO'].includes(name)) {
      const field = `generation_config.response_modalities[${index}]`;
      const type = 'type.googleapis.com/google.ai.generativelanguage.v1beta.GenerationConfig.Modality';
      found.push({ field, description: `Invalid value at '${field}' (${type}), ${JSON.stringify(one)}` });
    }
    return name;
  });
}

const dict = (value: unknown): Dict => (isDict(value) ? value : {});
const optionalText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The request, or Google's refusal of it. */
export function readGenerateRequest(body: Buffer): GenerateRequest | { refused: Answer } {
  let modalities: string[] | undefined;
  const read = readBody(body, requestShape, (request, found) => {
    modalities = modalitiesOf(dict(request['generationConfig']), found);
  });
  if ('refused' in read) return read;
  const { request } = read;
  const config = dict(request['generationConfig']);
  const contents = Array.isArray(request['contents']) ? request['contents'] : [];
  if (contents.length === 0) {
    return { refused: refusal(400, '* GenerateContentRequest.contents: contents is not specified\n') };
  }
  const empty = contents.flatMap((one, index) => emptiness(one, `GenerateContentRequest.contents[${index}]`));
  if (empty.length > 0) return { refused: refusal(400, empty.join('')) };
  const image = dict(config['imageConfig']);
  return {
    prompt: [...texts(request['systemInstruction']), ...contents.flatMap(texts)].join('\n'),
    responseMimeType: optionalText(config['responseMimeType']),
    schema: config['responseJsonSchema'] ?? config['responseSchema'],
    modalities,
    maxOutputTokens: Number(config['maxOutputTokens'] ?? 65_536),
    aspectRatio: optionalText(image['aspectRatio']) ?? '1:1',
    imageSize: optionalText(image['imageSize']) ?? '1K',
  };
}
