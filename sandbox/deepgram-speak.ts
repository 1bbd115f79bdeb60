// The speech side of the Deepgram stand-in (POST /v1/speak): real MP3 bytes in the vendor's own format, 22.05 kHz, so that a
// reader who only knows 44.1 kHz finds out here. Wire format: @deepgram/sdk 5.13.0; headers as Aura-2 sends them.
import { z } from 'zod';
import type { Answer, SandboxRequest } from './frame.ts';
import { speak } from './mp3-speak.ts';

const knownModel = /^aura-2-[a-z]+-(en|es|de|fr|it|nl|ja)$/;
const names = new Set([
  'model',
  'encoding',
  'bit_rate',
  'container',
  'sample_rate',
  'tag',
  'mip_opt_out',
  'speed',
]);
const bitRates = new Map([
  ['32000', 32],
  ['48000', 48],
] as const);
type BitRate = Parameters<typeof bitRates.get>[0];

/** Characters of one request. */
const textLimit = 2_000;
const pitchHz = 190;

export function refuse(req: SandboxRequest, status: number, code: string, message: string): Answer {
  return { status, body: { err_code: code, err_msg: message, request_id: req.requestId } };
}

const bodySchema = z.object({ text: z.string() });

/** The text, or the vendor's complaint about the body. */
function readText(req: SandboxRequest): string | Answer {
  try {
    const { text } = bodySchema.parse(JSON.parse(req.body.toString('utf8')));
    if (text.trim() === '') return refuse(req, 400, 'Bad Request', 'Input text is empty.');
    if (Array.from(text).length <= textLimit) return text;
    const message = `Input text exceeds maximum character limit of ${textLimit}.`;
    return refuse(req, 413, 'PAYLOAD_TOO_LARGE', message);
  } catch {
    const body = { category: 'INVALID_JSON', message: 'Invalid JSON submitted.', request_id: req.requestId };
    return { status: 400, body };
  }
}

function complaintAbout(query: URLSearchParams): string | undefined {
  const strange = [...query.keys()].find((name) => !names.has(name));
  if (strange !== undefined) return `Invalid query string: unknown parameter ${strange}`;
  if (!knownModel.test(query.get('model') ?? '')) return 'Bad Request: No such model found.';
  if ((query.get('encoding') ?? 'mp3') !== 'mp3') return 'Invalid query string: this sandbox speaks mp3 only';
  if (query.has('sample_rate')) return 'Invalid query string: sample_rate is not applicable for mp3';
  if (!bitRates.has((query.get('bit_rate') ?? '48000') as BitRate))
    return 'Invalid query string: bit_rate is not applicable for mp3';
  return undefined;
}

export function speakAura(req: SandboxRequest): Answer {
  const complaint = complaintAbout(req.query);
  if (complaint !== undefined) return refuse(req, 400, 'Bad Request', complaint);
  const text = readText(req);
  if (typeof text !== 'string') return text;
  const kbps = bitRates.get((req.query.get('bit_rate') ?? '48000') as BitRate) ?? 48;
  const model = req.query.get('model') ?? '';
  const characters = Array.from(text).length;
  return {
    status: 200,
    headers: {
      'content-type': 'audio/mpeg',
      'x-dg-request-id': req.requestId,
      'x-dg-model-name': model,
      'x-dg-characters': String(characters),
    },
    body: speak(text, { kbps, pitchHz, half: true }),
    accepted: { operation: 'speak', units: { characters }, note: model },
  };
}
