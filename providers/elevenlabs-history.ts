// ElevenLabs keeps what it has spoken: which entry of its history is the answer that an earlier attempt lost. Pure.
// The same text in the same voice by the same model is the same sound, so an entry that another job's call made serves as
// well; it is charged once in any case, for a charge is known by the vendor's request id.
import type { Charge } from '../shared/call.ts';
import type { SpeechRequest } from './ports.ts';

/** When each character is heard, as the vendor says it. */
export interface Times {
  characters: string[];
  characterStartTimesSeconds: number[];
  characterEndTimesSeconds: number[];
}

/** The part of the vendor's entry that is read here. */
export interface HistoryEntry {
  historyItemId: string;
  requestId?: string | undefined;
  voiceId?: string | undefined;
  modelId?: string | undefined;
  text?: string | undefined;
  characterCountChangeFrom: number;
  characterCountChangeTo: number;
  outputFormat?: string | undefined;
  state?: unknown;
  /** When it was asked for, in seconds since 1970. */
  dateUnix?: number | undefined;
  alignments?: { alignment: Times } | undefined;
}

export const speechFormat = 'mp3_44100_128' as const;

/** The vendor's clock and ours may differ by this much, in seconds. */
const skewSeconds = 300;

/** The vendor's moment from which on the call may be in its history. */
export function lookFrom(sinceMs: number): number {
  return Math.floor(sinceMs / 1_000) - skewSeconds;
}

/** Longer than any text takes; what is still being spoken then never comes. */
const spokenWithinSeconds = 900;

export function isStuck({ dateUnix = 0 }: HistoryEntry): boolean {
  return dateUnix + spokenWithinSeconds + skewSeconds < Date.now() / 1_000;
}

/** An entry that leaves a field out is taken when the others fit: the vendor fills them all today. */
function same(given: string | undefined, wanted: string): boolean {
  return given === undefined || given === wanted;
}

/** The entry that holds this very speech; entries that the vendor has deleted hold nothing. */
export function findSpoken(
  entries: readonly HistoryEntry[],
  request: SpeechRequest,
  model: string,
): HistoryEntry | undefined {
  return entries.find(
    (entry) =>
      entry.text === request.text &&
      entry.state !== 'deleted' &&
      same(entry.voiceId, request.voiceId) &&
      same(entry.modelId, model) &&
      same(entry.outputFormat, speechFormat),
  );
}

/** What the entry's request has cost: the same charge that its own answer announced. */
export function chargeOfEntry(entry: HistoryEntry, model: string): Charge {
  const quantity = Math.max(0, entry.characterCountChangeTo - entry.characterCountChangeFrom);
  return {
    provider: 'elevenlabs',
    model,
    usage: [{ unit: 'character', quantity }],
    requestId: entry.requestId ?? entry.historyItemId,
  };
}
