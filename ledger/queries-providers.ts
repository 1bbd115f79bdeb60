// The providers as an operator sees them: their gates, what all processes saw in the last quarter of an hour, the day's spend.
import { gateNames, providerNames, type GateName, type ProviderName } from '../shared/call.ts';
import type { Db } from './db.ts';
import { gateOf } from './gate-rows.ts';
import { figureSeconds, providerFigures } from './provider-minutes.ts';

export interface GateView {
  /** `probing`: the time is over, and one call at a time is let through to see whether the provider is back. */
  state: 'open' | 'closed' | 'probing';
  /** What closed it: a failure code or `operator`; null while it is open, like all that follows. */
  reason: string | null;
  /** An operator's words. */
  note: string | null;
  /** The work process or the key. */
  by: string | null;
  since: Date | null;
  until: Date | null;
}

export interface NamedGateView extends GateView {
  name: GateName;
  /** Calls at once that the vendor allows all processes together, as it said last. */
  maxCalls: number | null;
}

export interface ProviderView {
  provider: ProviderName;
  /** The worst of its gates. */
  gate: GateView;
  /** The smallest of its gates. */
  maxCalls: number | null;
  /** Of the last `windowSeconds`. */
  windowSeconds: number;
  calls: number;
  /** 0 to 1; null without calls. */
  errorShare: number | null;
  p95Ms: number | null;
  /** Estimated, in millionths of a dollar, since midnight UTC. */
  spentTodayMicroUsd: number;
  /** One for each model of Gemini, one for any other provider. */
  gates: readonly NamedGateView[];
}

const readRows = {
  name: 'gate_views',
  text: `SELECT provider, reason, note, closed_by AS by, closed_at AS since, open_until AS until,
      CASE WHEN open_until > now() THEN 'closed' WHEN reopened_at IS NULL THEN 'probing' ELSE 'open' END AS state,
      CASE WHEN max_calls_until > now() THEN max_calls END AS max_calls
    FROM gate`,
};

type GateRow = GateView & { provider: string; max_calls: number | null };

const open: GateView = { state: 'open', reason: null, note: null, by: null, since: null, until: null };

/** All five, called or not. `read`: the figures may be a little old, the gates are of now. */
export async function providerViews(
  db: Db,
  read: () => ReturnType<typeof providerFigures> = () => providerFigures(db),
): Promise<ProviderView[]> {
  const [rows, figures] = await Promise.all([db.run<GateRow>(readRows, []), read()]);
  const known = new Map(rows.map((row) => [gateOf(row.provider), row]));
  return providerNames.map((provider): ProviderView => {
    const gates = gateNames[provider].map((name) => gateView(name, known.get(name)));
    const { calls, errors, p95Ms, spentTodayMicroUsd } = figures.get(provider) ?? {
      calls: 0,
      errors: 0,
      p95Ms: null,
      spentTodayMicroUsd: 0,
    };
    return {
      provider,
      gate: worstOf(gates),
      maxCalls: smallestOf(gates),
      windowSeconds: figureSeconds,
      calls,
      errorShare: calls === 0 ? null : errors / calls,
      p95Ms,
      spentTodayMicroUsd,
      gates,
    };
  });
}

function gateView(name: GateName, row: GateRow | undefined): NamedGateView {
  const view = row === undefined || row.state === 'open' ? open : row;
  const { state, reason, note, by, since, until } = view;
  return { name, state, reason, note, by, since, until, maxCalls: row?.max_calls ?? null };
}

const badness = { open: 0, probing: 1, closed: 2 } as const;

/** Closed is worse than probing; of two that are closed the one that is so for longer. */
function worstOf(gates: readonly NamedGateView[]): GateView {
  const [worst] = gates.toSorted(
    (one, other) =>
      badness[other.state] - badness[one.state] || Number(other.until ?? 0) - Number(one.until ?? 0),
  );
  if (worst === undefined) return open;
  const { name: _, maxCalls: __, ...gate } = worst;
  return gate;
}

function smallestOf(gates: readonly NamedGateView[]): number | null {
  const limits = gates.flatMap(({ maxCalls }) => maxCalls ?? []);
  return limits.length === 0 ? null : Math.min(...limits);
}
