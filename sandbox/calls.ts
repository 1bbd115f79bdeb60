// The last requests that reached the HTTP vendors, billed or not, with the fault that met them: what a storm looks like from
// the other side. Kept in memory only.
import type { Fault } from './faults.ts';
import type { Route } from './frame.ts';

export interface CallEntry {
  /** Milliseconds since 1970. */
  at: number;
  provider: string;
  operation: string | undefined;
  /** `<job id>:<step name>` as the caller sent it. */
  step: string | undefined;
  /** The kind of the fault, when there was one. */
  fault: Fault['kind'] | undefined;
}

export interface Calls {
  add: (call: Omit<CallEntry, 'at'>) => void;
  entries: (provider?: string) => CallEntry[];
}

const keptCalls = 20_000;

export function openCalls(): Calls {
  const kept: CallEntry[] = [];
  return {
    add(call) {
      kept.push({ at: Date.now(), ...call });
      if (kept.length > keptCalls) kept.splice(0, keptCalls / 10);
    },
    entries: (provider) =>
      kept.filter((call) => provider === undefined || provider === '' || call.provider === provider),
  };
}

/** `GET /_sandbox/calls?provider=` -> `{ calls }`, oldest first. */
export function callRoutes(calls: Calls): Route[] {
  const list: Route['accept'] = (req) => ({
    status: 200,
    body: { calls: calls.entries(req.query.get('provider') ?? undefined) },
  });
  return [{ method: 'GET', pattern: '/_sandbox/calls', accept: list }];
}
