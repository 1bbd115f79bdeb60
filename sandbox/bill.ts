// The vendors' side of the bookkeeping: one line for every request a vendor would charge for, appended before its answer is sent.
// Never dedupes and never forgets: a second line for one step is exactly what tests look for.
import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Route } from './frame.ts';

export type BilledProvider = 'gemini' | 'elevenlabs' | 'deepgram' | 'cloudinary' | 'smtp';

export interface BillEntry {
  /** ISO 8601, UTC. */
  at: string;
  provider: BilledProvider;
  operation: string;
  /** `<job id>:<step name>` as the caller sent it. */
  step: string | undefined;
  units: Record<string, number>;
  /** The HTTP (or SMTP) status that was meant to be sent. */
  status: number;
  requestId: string;
  note?: string;
}

export interface Bill {
  /** Returns after the line is with the operating system: it outlives a killed process. */
  add: (entry: Omit<BillEntry, 'at'>) => BillEntry;
  entries: (only?: { provider?: string; step?: string }) => BillEntry[];
  close: () => void;
}

function parseLine(line: string): BillEntry[] {
  try {
    return [JSON.parse(line) as BillEntry];
  } catch {
    return []; // A line torn by a crash of the machine: its answer was never sent.
  }
}

/** Opens (or creates) bill.jsonl in the folder, with what an earlier run left there. */
export function openBill(dataDir: string): Bill {
  const path = join(dataDir, 'bill.jsonl');
  const earlier = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const kept = earlier.split('\n').filter(Boolean).flatMap(parseLine);
  const file = openSync(path, 'a');
  if (earlier !== '' && !earlier.endsWith('\n')) appendFileSync(file, '\n');
  return {
    add: (entry) => {
      const full: BillEntry = { at: new Date().toISOString(), ...entry };
      // Synchronous on purpose: the order of the lines is the order of the answers, and no answer can overtake its line.
      appendFileSync(file, `${JSON.stringify(full)}\n`);
      kept.push(full);
      return full;
    },
    entries: (only = {}) =>
      kept.filter(
        (entry) =>
          (only.provider === undefined || entry.provider === only.provider) &&
          (only.step === undefined || entry.step === only.step),
      ),
    close: () => {
      closeSync(file);
    },
  };
}

/** `GET /_sandbox/bill?provider=&step=` -> `{ entries }`, oldest first. */
export function billRoutes(bill: Bill): Route[] {
  const list: Route['accept'] = (req): Answer => {
    const provider = req.query.get('provider');
    const step = req.query.get('step');
    const only = { ...(provider ? { provider } : {}), ...(step ? { step } : {}) };
    return { status: 200, body: { entries: bill.entries(only) } };
  };
  return [{ method: 'GET', pattern: '/_sandbox/bill', accept: list }];
}
