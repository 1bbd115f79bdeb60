// Stands in for ElevenLabs' text-to-speech API (v1): real MP3 bytes, timestamps that match them, history, the vendor's refusals.
// Wire format: @elevenlabs/elevenlabs-js 2.73.0 and the vendor's error list; tests/sandbox/golden/elevenlabs.json holds samples.
import { randomBytes } from 'node:crypto';
import {
  characterLimit,
  concurrencyLimit,
  models,
  servedFormats,
  voices,
  type ServedFormat,
  type Voice,
} from './elevenlabs-data.ts';
import { listHistory, openHistory, showItem, type History, type HistoryItem } from './elevenlabs-history.ts';
import { readSpeech, refuse, type Speech } from './elevenlabs-speech.ts';
import type { Fault } from './faults.ts';
import type { Answer, Emulator, Route, SandboxRequest, World } from './frame.ts';
import { align, speak } from './mp3-speak.ts';

const defaultPitchHz = 200;

function bytesOf(text: string, voiceId: string, format: string): Buffer {
  const pitchHz = voices.find(({ voice_id }) => voice_id === voiceId)?.pitchHz ?? defaultPitchHz;
  return speak(text, { kbps: servedFormats.get(format as ServedFormat) ?? 128, pitchHz });
}

function headersOf(req: SandboxRequest, speech: Speech, historyId: string): Record<string, string> {
  return {
    'request-id': req.requestId,
    'character-cost': String(speech.credits),
    'history-item-id': historyId,
    'current-concurrent-requests': '1',
    'maximum-concurrent-requests': String(concurrencyLimit),
  };
}

function remember(history: History, req: SandboxRequest, speech: Speech, timed: boolean): string {
  const id = randomBytes(10).toString('hex');
  if (req.query.get('enable_logging') === 'false') {
    history.spend(speech.credits);
    return id;
  }
  const item = {
    history_item_id: id,
    request_id: req.requestId,
    voice_id: speech.voice.voice_id,
    voice_name: speech.voice.name,
    model_id: speech.model.model_id,
    text: speech.text,
    date_unix: Math.floor(Date.now() / 1000),
    output_format: speech.format,
    timed,
  };
  history.add(item, speech.credits);
  return id;
}

/** Both ways to ask for speech; `timed` answers JSON with the alignment, otherwise the bytes alone. */
function speaking(history: History, timed: boolean): Route['accept'] {
  return (req) => {
    const read = readSpeech(req);
    if (!read.ok) return read.answer;
    const speech = read.value;
    const audio = bytesOf(speech.text, speech.voice.voice_id, speech.format);
    const headers = headersOf(req, speech, remember(history, req, speech, timed));
    const units = { characters: Array.from(speech.text).length, credits: speech.credits };
    const accepted = { operation: 'text-to-speech', units, note: speech.model.model_id };
    if (!timed)
      return { status: 200, headers: { ...headers, 'content-type': 'audio/mpeg' }, body: audio, accepted };
    const alignment = align(speech.text);
    const body = { audio_base64: audio.toString('base64'), alignment, normalized_alignment: alignment };
    return { status: 200, headers, body, accepted };
  };
}

function showVoice({ voice_id, name, labels }: Voice): object {
  return { voice_id, name, category: 'premade', labels, available_for_tiers: [], settings: null };
}

const showModels = (): object[] =>
  models.map(({ character_cost_multiplier, ...model }) => ({
    ...model,
    can_do_text_to_speech: true,
    languages: [{ language_id: 'en', name: 'English' }],
    model_rates: { character_cost_multiplier },
  }));

/** The keys that the vendor's schema requires, and no more. */
function subscription(history: History): object {
  return {
    tier: 'scale',
    character_count: history.used(),
    character_limit: characterLimit,
    max_credit_limit_extension: 0,
    can_extend_character_limit: false,
    allowed_to_extend_character_limit: false,
    next_character_count_reset_unix: null,
    voice_slots_used: 0,
    professional_voice_slots_used: 0,
    professional_voice_slots_used_in_workspace: 0,
    voice_limit: 10,
    voice_add_edit_counter: 0,
    professional_voice_limit: 1,
    can_extend_voice_limit: false,
    can_use_instant_voice_cloning: false,
    can_use_professional_voice_cloning: false,
    current_overage: { amount: '0', currency: 'usd' },
    status: 'active',
    open_invoices: [],
    has_open_invoices: false,
  };
}

function withItem(history: History, show: (item: HistoryItem) => Answer): Route['accept'] {
  return (req) => {
    const item = history.get(req.params[0] ?? '');
    return item ? show(item) : refuse(400, 'history_item_not_found', 'The history item was not found.');
  };
}

const audioOf = (item: HistoryItem): Answer => ({
  status: 200,
  headers: { 'content-type': 'audio/mpeg' },
  body: bytesOf(item.text, item.voice_id, item.output_format),
});

function get(pattern: string, operation: string, body: (req: SandboxRequest) => object): Route {
  return { method: 'GET', pattern, operation, accept: (req) => ({ status: 200, body: body(req) }) };
}

function routesOf(history: History): Route[] {
  const post = (pattern: string, timed: boolean): Route => ({
    method: 'POST',
    pattern,
    operation: 'text-to-speech',
    accept: speaking(history, timed),
  });
  const item = '/v1/history/:id';
  return [
    post('/v1/text-to-speech/:voice_id', false),
    post('/v1/text-to-speech/:voice_id/with-timestamps', true),
    get('/v1/voices', 'voices', () => ({ voices: voices.map(showVoice) })),
    get('/v1/models', 'models', showModels),
    get('/v1/user/subscription', 'subscription', () => subscription(history)),
    get('/v1/history', 'history', (req) => listHistory(history, req.query)),
    {
      method: 'GET',
      pattern: item,
      operation: 'history',
      accept: withItem(history, (found) => ({ status: 200, body: showItem(found) })),
    },
    { method: 'GET', pattern: `${item}/audio`, operation: 'history', accept: withItem(history, audioOf) },
  ];
}

/** The vendor's words for a status that a fault asks for. */
const refusals: Record<number, [name: string, message: string]> = {
  401: ['invalid_api_key', 'Invalid API key'],
  429: [
    'too_many_concurrent_requests',
    `Too many concurrent requests. Your current subscription is associated with a maximum of ${concurrencyLimit} concurrent requests (running in parallel).`,
  ],
};

function faultAnswer(fault: Fault): Answer | undefined {
  if (fault.kind === 'quota') {
    const message =
      'This request exceeds your quota of 10000. You have 0 credits remaining, while 91 credits are required for this request.';
    return refuse(401, 'quota_exceeded', message);
  }
  if (fault.kind !== 'status' || fault.body !== undefined) return undefined;
  const [name, message] = refusals[fault.status] ?? [
    'internal_server_error',
    'An internal server error occurred',
  ];
  return { ...refuse(fault.status, name, message), ...(fault.headers ? { headers: fault.headers } : {}) };
}

export function elevenlabsEmulator(world: World): Emulator {
  const keyed = (route: Route): Route => ({
    ...route,
    accept: (req) =>
      req.headers['xi-api-key'] === world.keys.elevenlabs
        ? route.accept(req)
        : refuse(401, 'invalid_api_key', 'Invalid API key'),
  });
  return {
    provider: 'elevenlabs',
    prefix: '/elevenlabs',
    routes: routesOf(openHistory(world.dataDir)).map(keyed),
    notFound: () => ({ status: 404, body: { detail: 'Not Found' } }),
    faultAnswer,
  };
}
