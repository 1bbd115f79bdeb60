// The models that the stand-in knows. An unknown id is refused as Google does, so that a typing error shows without keys.

export interface GeminiModel {
  /** What really answers, as `modelVersion` says it: differs from the id for the `-latest` names. */
  version: string;
  makes: 'text' | 'picture' | 'vector';
  displayName: string;
}

const text = (version: string, displayName: string): GeminiModel => ({ version, makes: 'text', displayName });
const picture = (version: string, displayName: string): GeminiModel => ({
  version,
  makes: 'picture',
  displayName,
});

// Model ids of ai.google.dev/gemini-api/docs/models and its deprecations page, read November 2026.
const models: Readonly<Record<string, GeminiModel>> = {
  'gemini-3.8-flash': text('gemini-3.8-flash', 'Gemini 3.8 Flash'),
  'gemini-3.7-flash': text('gemini-3.7-flash', 'Gemini 3.7 Flash'),
  'gemini-3.6-flash': text('gemini-3.6-flash', 'Gemini 3.6 Flash'),
  'gemini-3.5-flash': text('gemini-3.5-flash', 'Gemini 3.5 Flash'),
  'gemini-3.5-flash-lite': text('gemini-3.5-flash-lite', 'Gemini 3.5 Flash-Lite'),
  'gemini-2.5-flash': text('gemini-2.5-flash', 'Gemini 2.5 Flash'),
  'gemini-2.5-pro': text('gemini-2.5-pro', 'Gemini 2.5 Pro'),
  'gemini-flash-latest': text('gemini-3.8-flash', 'Gemini Flash Latest'),
  'gemini-3.1-flash-image': picture('gemini-3.1-flash-image', 'Gemini 3.1 Flash Image'),
  'gemini-3-pro-image': picture('gemini-3-pro-image', 'Gemini 3 Pro Image'),
  'gemini-2.5-flash-image': picture('gemini-2.5-flash-image', 'Gemini 2.5 Flash Image'),
  'gemini-embedding-001': {
    version: 'gemini-embedding-001',
    makes: 'vector',
    displayName: 'Gemini Embedding 001',
  },
};

export function findModel(id: string): GeminiModel | undefined {
  return Object.hasOwn(models, id) ? models[id] : undefined;
}

const methodsOf = ({ makes }: GeminiModel): string[] =>
  makes === 'vector' ? ['embedContent', 'batchEmbedContents'] : ['generateContent'];

/** The Model resource as `models.get` answers it. */
export function describeModel(id: string, model: GeminiModel): object {
  return {
    name: `models/${id}`,
    version: model.version.replace('gemini-', ''),
    displayName: model.displayName,
    description: 'The sandbox stands in for this model.',
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: methodsOf(model),
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    thinking: model.makes === 'text',
  };
}

/** Pixels of a picture by aspect ratio at 1K; undefined for a ratio that Google does not offer. */
const sizes: Readonly<Record<string, readonly [width: number, height: number]>> = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
};
const factors: Readonly<Record<string, number>> = { '1K': 1, '2K': 2, '4K': 4 };

export function pictureSize(
  aspectRatio: string,
  imageSize: string,
): { width: number; height: number } | undefined {
  const size = Object.hasOwn(sizes, aspectRatio) ? sizes[aspectRatio] : undefined;
  const factor = Object.hasOwn(factors, imageSize) ? factors[imageSize] : undefined;
  return size && factor ? { width: size[0] * factor, height: size[1] * factor } : undefined;
}
