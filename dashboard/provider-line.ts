// A provider in the words of the operations page: how its gates are, and what its figures mean to a reader. Pure.
import type { NamedGateView, ProviderView } from '../ledger/queries-providers.ts';

export interface ProviderLine {
  provider: string;
  gate: string;
  /** A gate is not open. */
  shut: boolean;
  calls: number;
  p95: string;
  errors: string;
  /** More than a twentieth of the calls failed. */
  sick: boolean;
  spent: string;
}

const sickShare = 0.05;

export function providerLine(view: ProviderView): ProviderLine {
  const { provider, gate, calls, errorShare, p95Ms, spentTodayMicroUsd } = view;
  return {
    provider,
    gate: gatesText(view),
    shut: gate.state !== 'open',
    calls,
    p95: p95Ms === null ? '–' : `${(p95Ms / 1_000).toFixed(p95Ms < 10_000 ? 2 : 0)} s`,
    errors: errorShare === null ? '–' : `${(errorShare * 100).toFixed(1)} %`,
    sick: (errorShare ?? 0) > sickShare,
    spent: `$${(spentTodayMicroUsd / 1e6).toFixed(2)}`,
  };
}

/** Of gates that are not alike each behind its name. */
function gatesText({ gates }: ProviderView): string {
  const each = gates.map((gate) => ({ name: gate.name, text: gateText(gate) }));
  const [first] = each;
  if (first !== undefined && each.every(({ text }) => text === first.text)) return first.text;
  return each.map(({ name, text }) => `${name} ${text}`).join('; ');
}

function gateText({ maxCalls, ...gate }: NamedGateView): string {
  if (gate.state === 'open') return maxCalls === null ? 'open' : `open, ${maxCalls} at once`;
  const what = gate.state === 'closed' ? `closed until ${clock(gate.until)}` : 'looking whether it is back';
  return `${what}: ${gate.note ?? gate.reason ?? ''} since ${clock(gate.since)}`;
}

/** `14:02` of today, with its day otherwise; UTC. */
export function clock(moment: Date | null): string {
  if (moment === null) return 'some time';
  const text = moment.toISOString();
  const today = new Date().toISOString().slice(0, 10);
  return text.startsWith(today) ? text.slice(11, 16) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}
