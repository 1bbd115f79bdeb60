// The query of POST /v1/listen as Deepgram reads it: names from @deepgram/sdk 5.13.0; an unknown name or value is refused.

const flags = new Set([
  'sentiment',
  'topics',
  'intents',
  'detect_entities',
  'detect_language',
  'diarize',
  'dictation',
  'filler_words',
  'measurements',
  'multichannel',
  'numerals',
  'paragraphs',
  'profanity_filter',
  'punctuate',
  'smart_format',
  'utterances',
  'mip_opt_out',
]);
const texts = new Set([
  'callback',
  'callback_method',
  'extra',
  'summarize',
  'tag',
  'custom_topic',
  'custom_topic_mode',
  'custom_intent',
  'custom_intent_mode',
  'diarize_model',
  'encoding',
  'keyterm',
  'keywords',
  'language',
  'model',
  'redact',
  'replace',
  'search',
  'utt_split',
  'version',
]);

const knownModel = /^(nova-3|nova-2|nova|enhanced|base)(-[a-z]+)?$/;

export interface ListenOptions {
  model: string;
  punctuated: boolean;
  paragraphs: boolean;
  utterances: boolean;
  pauseSeconds: number;
  tags: string[];
}

const defaultPauseSeconds = 0.8;

function complaintAbout(query: URLSearchParams): string | undefined {
  for (const [name, value] of query) {
    if (!flags.has(name) && !texts.has(name)) return `Invalid query string: unknown parameter ${name}`;
    if (flags.has(name) && value !== 'true' && value !== 'false') {
      return `Invalid query string: ${name} must be true or false`;
    }
  }
  return query.has('callback') ? 'Invalid query string: this sandbox does not call back' : undefined;
}

/** The options, or the vendor's complaint about the first thing that is wrong. */
export function readOptions(query: URLSearchParams): ListenOptions | string {
  const complaint = complaintAbout(query);
  if (complaint !== undefined) return complaint;
  const model = query.get('model') ?? 'base-general';
  if (!knownModel.test(model)) return 'Bad Request: No such model/language/tier combination found.';
  const pauseSeconds = Number(query.get('utt_split') ?? defaultPauseSeconds);
  if (!(pauseSeconds > 0)) return 'Invalid query string: utt_split must be a number of seconds';
  const on = (name: string): boolean => query.get(name) === 'true';
  return {
    model,
    // Smart format brings punctuation and paragraphs, and paragraphs bring punctuation: developers.deepgram.com/docs.
    punctuated: on('punctuate') || on('smart_format') || on('paragraphs'),
    paragraphs: on('smart_format') || on('paragraphs'),
    utterances: on('utterances'),
    pauseSeconds,
    tags: query.getAll('tag'),
  };
}
