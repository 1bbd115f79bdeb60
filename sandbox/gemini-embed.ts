// embedContent and batchEmbedContents: numbers drawn from the text, so that the same text always lies in the same place.
// Field names: the Gemini API side of @google/genai 2.32 (November 2026) and ai.google.dev/api/embeddings.
import type { Answer, SandboxRequest } from './frame.ts';
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
} from './gemini-json.ts';
import { findModel } from './gemini-models.ts';
import { lotsOf } from './storyteller-seed.ts';

const mostDimensions = 3_072;

const embedShape: { fields: Readonly<Record<string, Shape>> } = {
  fields: { ...anything('model', 'taskType', 'title', 'outputDimensionality'), content: contentShape },
};
const batchShape: Shape = { fields: { requests: { list: embedShape } } };

/** What Google would refuse, or undefined. */
function complaint(one: Dict, place: string): string | undefined {
  const dimensions = one['outputDimensionality'] ?? mostDimensions;
  if (!Number.isInteger(dimensions) || Number(dimensions) < 1 || Number(dimensions) > mostDimensions)
    return `* ${place}.output_dimensionality: must be between 1 and ${mostDimensions}\n`;
  return emptiness(one['content'], `${place}.content`).join('') || undefined;
}

function embed(one: Dict): { values: number[] } {
  const lots = lotsOf(texts(one['content']).join('\n'));
  const length = Number(one['outputDimensionality'] ?? mostDimensions);
  const values = Array.from({ length }, () => lots.next() - 0.5);
  const size = Math.hypot(...values);
  return { values: values.map((value) => value / size) };
}

function accepted(requests: readonly Dict[], note: string): NonNullable<Answer['accepted']> {
  const letters = requests
    .flatMap((one) => texts(one['content']))
    .reduce((sum, { length }) => sum + length, 0);
  return { operation: 'embed', units: { input_token: Math.ceil(letters / 4) }, note };
}

function embedOne(body: Buffer, note: string): Answer {
  const read = readBody(body, embedShape);
  if ('refused' in read) return read.refused;
  const wrong = complaint(read.request, 'EmbedContentRequest');
  if (wrong !== undefined) return refusal(400, wrong);
  return { status: 200, body: { embedding: embed(read.request) }, accepted: accepted([read.request], note) };
}

function embedBatch(body: Buffer, note: string): Answer {
  const read = readBody(body, batchShape);
  if ('refused' in read) return read.refused;
  const given = read.request['requests'];
  const requests = Array.isArray(given) ? given.filter(isDict) : [];
  if (requests.length === 0) {
    return refusal(400, '* BatchEmbedContentsRequest.requests: at least one request is required\n');
  }
  for (const [index, one] of requests.entries()) {
    const wrong = complaint(one, `BatchEmbedContentsRequest.requests[${index}]`);
    if (wrong !== undefined) return refusal(400, wrong);
  }
  return { status: 200, body: { embeddings: requests.map(embed) }, accepted: accepted(requests, note) };
}

/** Parameters of the path: version, model, method. */
export function embedContents(req: SandboxRequest): Answer {
  const [version = 'v1beta', id = '', method = ''] = req.params;
  const model = findModel(id);
  if (model?.makes !== 'vector') {
    return refusal(
      404,
      `models/${id} is not found for API version ${version}, or is not supported for ${method}. Call ListModels to see the list of available models and their supported methods.`,
    );
  }
  return method === 'embedContent' ? embedOne(req.body, model.version) : embedBatch(req.body, model.version);
}
