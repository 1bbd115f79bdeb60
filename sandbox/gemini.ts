// Stands in for Google's Gemini API: stories as JSON, pictures as PNG, over the wire format of v1beta and v1.
// Same prompt, same answer. Token counts are about four characters a token, as Google says of English.
import {
  findRoute,
  type Answer,
  type Emulator,
  type Route,
  type SandboxRequest,
  type World,
} from './frame.ts';
import { embedContents } from './gemini-embed.ts';
import { faultRefusal, invalidKey, missingKey, pageNotFound, refusal } from './gemini-errors.ts';
import { describeModel, findModel, pictureSize, type GeminiModel } from './gemini-models.ts';
import { readGenerateRequest, type GenerateRequest } from './gemini-request.ts';
import { pageLimits, storyAsJson } from './gemini-schema.ts';
import { paint } from './painter.ts';
import { readBrief } from './storyteller-brief.ts';
import { lotsOf } from './storyteller-seed.ts';
import { tellStory } from './storyteller.ts';

const tokens = (text: string): number => Math.ceil(text.length / 4);

type Part = { text: string } | { inlineData: { mimeType: string; data: string } };
interface Draft {
  parts: Part[];
  finishReason: string;
  outputTokens: number;
  thoughtTokens: number;
  units: Record<string, number>;
}

function writeText(request: GenerateRequest): Draft {
  const brief = readBrief(request.prompt);
  const limits = pageLimits(request.schema) ?? { low: 1, high: 40 };
  const pages = Math.min(limits.high, Math.max(limits.low, brief.pages ?? Math.min(limits.high, 5)));
  const story = tellStory({ ...brief, pages }, request.prompt);
  const plain = [story.title, ...story.pages.map((page) => page.text)].join('\n\n');
  const asJson = request.responseMimeType === 'application/json' || request.schema !== undefined;
  const made = request.schema === undefined ? story : storyAsJson(request.schema, story);
  const text = asJson ? JSON.stringify(made) : plain;
  // Thoughts are billed as output and count against the limit, as they do at Google.
  const thoughtTokens = lotsOf(request.prompt).between(80, 240);
  const room = Math.max(0, request.maxOutputTokens - thoughtTokens);
  const cut = tokens(text) > room;
  const said = cut ? text.slice(0, room * 4) : text;
  const outputTokens = tokens(said);
  return {
    parts: [{ text: said }],
    finishReason: cut ? 'MAX_TOKENS' : 'STOP',
    outputTokens,
    thoughtTokens,
    units: {},
  };
}

async function drawPicture(request: GenerateRequest): Promise<Draft | { refused: Answer }> {
  const size = pictureSize(request.aspectRatio, request.imageSize);
  if (!size) {
    return {
      refused: refusal(
        400,
        `aspect_ratio ${request.aspectRatio} with image_size ${request.imageSize} is not supported by this model.`,
      ),
    };
  }
  const data = (await paint(request.prompt, size)).toString('base64');
  const parts: Part[] = [{ inlineData: { mimeType: 'image/png', data } }];
  const outputTokens = request.imageSize === '4K' ? 2000 : 1120;
  return { parts, finishReason: 'STOP', outputTokens, thoughtTokens: 0, units: { image: 1 } };
}

function usage(prompt: string, draft: Draft, makes: GeminiModel['makes']): Record<string, unknown> {
  const promptTokenCount = tokens(prompt);
  return {
    promptTokenCount,
    candidatesTokenCount: draft.outputTokens,
    totalTokenCount: promptTokenCount + draft.outputTokens + draft.thoughtTokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokenCount }],
    ...(makes === 'picture'
      ? { candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: draft.outputTokens }] }
      : {}),
    ...(draft.thoughtTokens > 0 ? { thoughtsTokenCount: draft.thoughtTokens } : {}),
  };
}

function answerWith(draft: Draft, request: GenerateRequest, model: GeminiModel, responseId: string): Answer {
  const usageMetadata = usage(request.prompt, draft, model.makes);
  const candidate = {
    content: { role: 'model', parts: draft.parts },
    finishReason: draft.finishReason,
    index: 0,
  };
  const units = {
    input_token: tokens(request.prompt),
    output_token: draft.outputTokens + draft.thoughtTokens,
    ...draft.units,
  };
  return {
    status: 200,
    body: { candidates: [candidate], usageMetadata, modelVersion: model.version, responseId },
    accepted: { operation: operationFor(model), units, note: model.version },
  };
}

const operationFor = (model: GeminiModel | undefined): string =>
  model?.makes === 'picture' ? 'generate-picture' : 'generate-text';

/** What Google says when a model is asked for a kind of answer that it does not give. */
function wrongModality(request: GenerateRequest, id: string, model: GeminiModel): Answer | undefined {
  if (
    model.makes === 'picture' &&
    (request.schema !== undefined || request.responseMimeType === 'application/json')
  ) {
    return refusal(400, `JSON mode is not enabled for models/${id}`);
  }
  const asked = request.modalities ?? [model.makes === 'picture' ? 'IMAGE' : 'TEXT'];
  const possible = model.makes === 'picture' ? ['TEXT', 'IMAGE'] : ['TEXT'];
  const fits =
    asked.every((one) => possible.includes(one)) && (model.makes === 'text' || asked.includes('IMAGE'));
  if (fits) return undefined;
  const offer = possible.join(', ');
  return refusal(
    400,
    `The requested combination of response modalities (${asked.join(', ')}) is not supported by the model. models/${id} accepts the following combination of response modalities:\n* ${offer}\n`,
  );
}

async function generate(req: SandboxRequest): Promise<Answer> {
  const [version = 'v1beta', id = ''] = req.params;
  const model = findModel(id);
  if (!model || model.makes === 'vector') {
    return refusal(
      404,
      `models/${id} is not found for API version ${version}, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
    );
  }
  const request = readGenerateRequest(req.body);
  if ('refused' in request) return request.refused;
  const refused = wrongModality(request, id, model);
  if (refused) return refused;
  const draft = model.makes === 'picture' ? await drawPicture(request) : writeText(request);
  return 'refused' in draft ? draft.refused : answerWith(draft, request, model, req.requestId);
}

function getModel(req: SandboxRequest): Answer {
  const [version = 'v1beta', id = ''] = req.params;
  const model = findModel(id);
  if (model) return { status: 200, body: describeModel(id, model) };
  return refusal(404, `Model is not found: models/${id} for api version ${version}`);
}

/** What is left of a charged answer when Google stops it; its usage stays. */
function bent(
  fault: { kind: 'safety' | 'max_tokens'; at?: 'prompt' | 'answer' | undefined },
  answer: Answer,
): Answer {
  const body = answer.body as { candidates: { content: { parts: Part[] } }[] };
  if (fault.kind === 'safety' && fault.at === 'prompt') {
    const { candidates: _, ...rest } = body;
    return { ...answer, body: { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, ...rest } };
  }
  const part = body.candidates[0]?.content.parts[0];
  const text = part && 'text' in part ? part.text : undefined;
  if (fault.kind === 'safety') {
    const rating = { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true };
    const finishReason = text === undefined ? 'IMAGE_SAFETY' : 'SAFETY';
    return {
      ...answer,
      body: { ...body, candidates: [{ finishReason, index: 0, safetyRatings: [rating] }] },
    };
  }
  const parts = text === undefined ? [] : [{ text: text.slice(0, Math.floor(text.length * 0.6)) }];
  const candidate = { content: { role: 'model', parts }, finishReason: 'MAX_TOKENS', index: 0 };
  return { ...answer, body: { ...body, candidates: [candidate] } };
}

function withKey(key: string, accept: Route['accept']): Route['accept'] {
  return (req) => {
    const sent = req.headers['x-goog-api-key'] ?? req.query.get('key') ?? undefined;
    if (sent === undefined) return missingKey();
    return sent === key ? accept(req) : invalidKey();
  };
}

export function geminiEmulator(world: World): Emulator {
  const { gemini } = world.keys;
  const routes: Route[] = [
    {
      method: 'POST',
      pattern: /^\/(v1beta|v1)\/models\/([^/:]+):generateContent$/,
      operation: (req) => operationFor(findModel(req.params[1] ?? '')),
      accept: withKey(gemini, generate),
    },
    {
      method: 'POST',
      pattern: /^\/(v1beta|v1)\/models\/([^/:]+):(embedContent|batchEmbedContents)$/,
      operation: 'embed',
      accept: withKey(gemini, embedContents),
    },
    {
      method: 'GET',
      pattern: /^\/(v1beta|v1)\/models\/([^/]+)$/,
      operation: 'get-model',
      accept: withKey(gemini, getModel),
    },
  ];
  return {
    provider: 'gemini',
    prefix: '/gemini',
    routes,
    notFound: () => pageNotFound,
    faultAnswer: (fault, req, answer) => {
      // Both are about an answer in words or a picture.
      if (answer && (fault.kind === 'safety' || fault.kind === 'max_tokens'))
        return 'candidates' in Object(answer.body) ? bent(fault, answer) : undefined;
      return faultRefusal(fault, findRoute(routes, req.method, req.path)?.params[1] ?? 'unknown');
    },
  };
}
