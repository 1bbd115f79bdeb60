// Reads a generateContent request as strictly as Google's JSON reader: a field it does not know is refused by name.
// Field names: the Gemini API side of @google/genai 2.32 (November 2026) and ai.google.dev/api/generate-content.
import type { Answer } from './frame.ts';
import { badFields, refusal } from './gemini-errors.ts';

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

type Dict = Record<string, unknown>;
interface Violation {
  field: string;
  description: string;
}
/** true: any JSON may follow. An array type: the same for every element. */
type Shape = true | { list: Shape } | { fields: Readonly<Record<string, Shape>> };

const anything = (...names: string[]): Record<string, Shape> =>
  Object.fromEntries(names.map((name) => [name, true]));

const partShape: Shape = {
  fields: anything(
    'text',
    'inlineData',
    'fileData',
    'functionCall',
    'functionResponse',
    'executableCode',
    'codeExecutionResult',
    'videoMetadata',
    'thought',
    'thoughtSignature',
    'mediaResolution',
    'partMetadata',
  ),
};
const contentShape: Shape = { fields: { role: true, parts: { list: partShape } } };
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

const toCamel = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const toSnake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unknownName(name: string, field: string): Violation {
  const where = field === '' ? '' : ` at '${field}'`;
  return {
    field,
    description: `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`,
  };
}

/** Both spellings of a name are accepted, as protobuf's JSON does; the result has camelCase names. */
function read(value: unknown, shape: Shape, field: string, found: Violation[]): unknown {
  if (shape === true) return value;
  if ('list' in shape) {
    // A single message where a list belongs is taken as a list of one.
    const list = Array.isArray(value) ? value : [value];
    return list.map((one, index) => read(one, shape.list, `${field}[${index}]`, found));
  }
  if (!isDict(value)) {
    found.push({ field, description: `Invalid value at '${field}' (Map), ${JSON.stringify(value)}` });
    return {};
  }
  const result: Dict = {};
  for (const [name, inside] of Object.entries(value)) {
    const known = shape.fields[toCamel(name)];
    const path = field === '' ? toSnake(name) : `${field}.${toSnake(name)}`;
    if (known === undefined) found.push(unknownName(name, field));
    else result[toCamel(name)] = read(inside, known, path, found);
  }
  return result;
}

function texts(content: unknown): string[] {
  const parts = isDict(content) ? content['parts'] : undefined;
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: unknown) =>
    isDict(part) && typeof part['text'] === 'string' ? [part['text']] : [],
  );
}

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

function parse(body: Buffer): Dict | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isDict(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const dict = (value: unknown): Dict => (isDict(value) ? value : {});
const optionalText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The request, or Google's refusal of it. */
export function readGenerateRequest(body: Buffer): GenerateRequest | { refused: Answer } {
  const raw = parse(body);
  if (!raw) {
    return { refused: refusal(400, 'Invalid JSON payload received. Expected an object.') };
  }
  const found: Violation[] = [];
  const request = read(raw, requestShape, '', found) as Dict;
  const config = dict(request['generationConfig']);
  const modalities = modalitiesOf(config, found);
  if (found.length > 0) return { refused: badFields(found) };
  const contents = Array.isArray(request['contents']) ? request['contents'] : [];
  if (contents.length === 0) {
    return { refused: refusal(400, '* GenerateContentRequest.contents: contents is not specified\n') };
  }
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
