// Counts this process's provider calls and adds them to the shared minutes every few seconds. What cannot be written is
// kept for the next time, up to an hour of it; nothing waits for it.
import type { Emit, Events } from '../shared/events.ts';
import type { Db } from '../ledger/db.ts';
import { addMinutes, durationSteps, stepOf, type MinuteCounts } from '../ledger/provider-minutes.ts';

export interface ProviderFigures {
  /** Passes events on, and counts the calls among them. */
  emit: Emit;
  /** Writes what is left. */
  stop: () => Promise<void>;
}

/** Outcomes that say something about the request, or nothing at all, and so are not counted against the provider. */
const blameless: ReadonlySet<Events['provider.called']['outcome']> = new Set([
  'ok',
  'bad_input',
  'content_blocked',
  'cancelled',
]);
const minuteMs = 60_000;
/** Five providers for an hour. */
const keptRows = 300;

type Counts = MinuteCounts & { buckets: number[] };

export function startProviderFigures(db: Db, emit: Emit, everyMs = 5_000): ProviderFigures {
  let counts = new Map<string, Counts>();
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    if (counts.size === 0) return;
    const given = counts;
    counts = new Map();
    try {
      await addMinutes(db, [...given.values()]);
    } catch {
      // Older minutes go first when there are too many: the present is what an operator looks at.
      const kept = [...given.values()].slice(-keptRows);
      for (const row of kept) counts.set(keyOf(row), merge(row, counts.get(keyOf(row))));
    }
  }

  function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  const timer = setInterval(() => void flush(), everyMs);
  return {
    emit(name, event) {
      if (name === 'provider.called') count(counts, event as Events['provider.called']);
      emit(name, event);
    },
    async stop() {
      clearInterval(timer);
      await flush();
      await flush(); // what came while the first one was written
    },
  };
}

function keyOf({ provider, minuteMs: minute }: Pick<MinuteCounts, 'provider' | 'minuteMs'>): string {
  return `${provider} ${minute}`;
}

function count(
  counts: Map<string, Counts>,
  { provider, outcome, durationMs }: Events['provider.called'],
): void {
  const minute = Math.floor(Date.now() / minuteMs) * minuteMs;
  const key = keyOf({ provider, minuteMs: minute });
  const empty = Array.from({ length: durationSteps.length + 1 }, () => 0);
  const row = counts.get(key) ?? { provider, minuteMs: minute, calls: 0, errors: 0, buckets: empty };
  const step = stepOf(durationMs);
  row.calls += 1;
  row.errors += blameless.has(outcome) ? 0 : 1;
  row.buckets[step] = (row.buckets[step] ?? 0) + 1;
  counts.set(key, row);
}

function merge(row: Counts, later: Counts | undefined): Counts {
  if (later === undefined) return row;
  const buckets = row.buckets.map((number, step) => number + (later.buckets[step] ?? 0));
  return { ...row, calls: row.calls + later.calls, errors: row.errors + later.errors, buckets };
}
