// The providers as an operator sees them: the gate, what all processes saw in the last quarter of an hour, the day's spend.
import { providerNames, type ProviderName } from '../shared/call.ts';
import type { Db } from './db.ts';
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

export interface ProviderView {
  provider: ProviderName;
  gate: GateView;
  /** Calls at once that the vendor allows all processes together, as it said last. */
  maxCalls: number | null;
  /** Of the last `windowSeconds`. */
  windowSeconds: number;
  calls: number;
  /** 0 to 1; null without calls. */
  errorShare: number | null;
  p95Ms: number | null;
  /** Estimated, in millionths of a dollar, since midnight UTC. */
  spentTodayMicroUsd: number;
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
  const gates = new Map(rows.map((row) => [row.provider, row]));
  return providerNames.map((provider): ProviderView => {
    const row = gates.get(provider);
    const { calls, errors, p95Ms, spentTodayMicroUsd } = figures.get(provider) ?? {
      calls: 0,
      errors: 0,
      p95Ms: null,
      spentTodayMicroUsd: 0,
    };
    return {
      provider,
      gate: row === undefined || row.state === 'open' ? open : gateView(row),
      maxCalls: row?.max_calls ?? null,
      windowSeconds: figureSeconds,
      calls,
      errorShare: calls === 0 ? null : errors / calls,
      p95Ms,
      spentTodayMicroUsd,
    };
  });
}

function gateView({ state, reason, note, by, since, until }: GateRow): GateView {
  return { state, reason, note, by, since, until };
}
