// ElevenLabs' history: what was spoken, kept in the data folder, so that a caller who lost the answer can look before paying again.
// Keeps texts, not sounds: the same text and voice always give the same bytes.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { align } from './mp3-speak.ts';

export interface HistoryItem {
  history_item_id: string;
  request_id: string;
  voice_id: string;
  voice_name: string;
  model_id: string;
  text: string;
  /** Seconds since 1970. */
  date_unix: number;
  character_count_change_from: number;
  character_count_change_to: number;
  output_format: string;
  /** Asked for with its times: the entry keeps them. */
  timed: boolean;
}

export interface History {
  add: (
    item: Omit<HistoryItem, 'character_count_change_from' | 'character_count_change_to'>,
    cost: number,
  ) => void;
  /** Credits used so far, requests without history included. */
  used: () => number;
  spend: (cost: number) => void;
  get: (id: string) => HistoryItem | undefined;
  /** Newest first. */
  list: () => HistoryItem[];
}

function parse(line: string): HistoryItem[] {
  try {
    return [JSON.parse(line) as HistoryItem];
  } catch {
    return []; // A line torn by a crash: nobody was answered.
  }
}

export function openHistory(dataDir: string): History {
  const folder = join(dataDir, 'elevenlabs');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'history.jsonl');
  const earlier = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (earlier !== '' && !earlier.endsWith('\n')) appendFileSync(path, '\n');
  const items = new Map(
    earlier
      .split('\n')
      .flatMap(parse)
      .map((item) => [item.history_item_id, item]),
  );
  let used = Array.from(items.values()).at(-1)?.character_count_change_to ?? 0;
  return {
    add: (item, cost) => {
      const full = { ...item, character_count_change_from: used, character_count_change_to: used + cost };
      used += cost;
      // Synchronous: the item must outlive this process if the answer is to be lost and looked for.
      appendFileSync(path, `${JSON.stringify(full)}\n`);
      items.set(full.history_item_id, full);
    },
    used: () => used,
    spend: (cost) => {
      used += cost;
    },
    get: (id) => items.get(id),
    list: () => Array.from(items.values()).toReversed(),
  };
}

/** The vendor's list: filters, newest first (or oldest), `page_size` up to 1000 (100 when left out). */
export function listHistory(history: History, query: URLSearchParams): object {
  const wanted = (name: string, is: (value: string, item: HistoryItem) => boolean) => {
    const value = query.get(name);
    return (item: HistoryItem): boolean => value === null || is(value, item);
  };
  const tests = [
    wanted('voice_id', (value, item) => item.voice_id === value),
    wanted('model_id', (value, item) => item.model_id === value),
    wanted('date_after_unix', (value, item) => item.date_unix >= Number(value)),
    wanted('date_before_unix', (value, item) => item.date_unix < Number(value)),
    wanted('search', (value, item) => item.text.toLowerCase().includes(value.toLowerCase())),
    wanted('source', (value) => value === 'TTS'),
  ];
  let found = history.list().filter((item) => tests.every((test) => test(item)));
  if (query.get('sort_direction') === 'asc') found = found.toReversed();
  const after = query.get('start_after_history_item_id');
  if (after !== null) found = found.slice(found.findIndex((item) => item.history_item_id === after) + 1);
  const page = found.slice(0, Math.min(1_000, Number(query.get('page_size') ?? 100)));
  return {
    history: page.map(showItem),
    last_history_item_id: page.at(-1)?.history_item_id ?? null,
    has_more: found.length > page.length,
    scanned_until: null,
  };
}

export function showItem({ timed, ...item }: HistoryItem): object {
  const times = timed ? align(item.text) : undefined;
  return {
    ...item,
    content_type: 'audio/mpeg',
    state: 'created',
    source: 'TTS',
    voice_category: 'premade',
    alignments: times === undefined ? null : { alignment: times, normalized_alignment: times },
  };
}
