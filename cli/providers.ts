// `storytime providers`: how the outside services are; `trip` closes the gates of one, or one gate, for a time, `reset` opens.
import type { GateStatus, ProviderStatus } from '../client/index.ts';
import { openClient } from './jobs-connection.ts';
import { json, painter, plain, type Paint, type Terminal } from './terminal.ts';

export interface ProviderFlags {
  json?: boolean;
  color?: boolean;
}

export interface TripFlags extends ProviderFlags {
  /** Milliseconds. */
  for: number;
  reason: string;
}

export async function runList(terminal: Terminal, flags: ProviderFlags): Promise<void> {
  const providers = await (await openClient(terminal)).providers.list();
  terminal.out(
    flags.json === true ? json({ providers }) : table(providers, painter(terminal, flags.color === false)),
  );
}

export async function runTrip(terminal: Terminal, name: string, flags: TripFlags): Promise<void> {
  const client = await openClient(terminal);
  const provider = await client.providers.trip(name, { forMs: flags.for, reason: flags.reason });
  show(terminal, provider, flags);
  if (flags.json !== true)
    terminal.err(`Its jobs wait and keep their attempts. Open it again: storytime providers reset ${name}\n`);
}

export async function runReset(terminal: Terminal, name: string, flags: ProviderFlags): Promise<void> {
  show(terminal, await (await openClient(terminal)).providers.reset(name), flags);
}

function show(terminal: Terminal, provider: ProviderStatus, flags: ProviderFlags): void {
  const paint = painter(terminal, flags.color === false);
  terminal.out(
    flags.json === true ? json({ provider }) : `${provider.provider}: gate ${gatesText(provider, paint)}\n`,
  );
}

const heads = ['PROVIDER', 'CALLS', 'ERRORS', 'P95', 'SPENT TODAY'];

function table(providers: readonly ProviderStatus[], paint: Paint): string {
  const rows = providers.map((provider) => ({ cells: cellsOf(provider), gate: gatesText(provider, paint) }));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], gate: string): string =>
    `${cells.map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0)).join('  ')}  ${gate}\n`;
  const minutes = Math.round((providers[0]?.windowSeconds ?? 0) / 60);
  return [
    line(heads, 'GATE'),
    ...rows.map(({ cells, gate }) => line(cells, gate)),
    `Calls, errors and p95 of the last ${minutes} minutes.\n`,
  ].join('');
}

function cellsOf({ provider, calls, errorShare, p95Ms, spentTodayMicroUsd }: ProviderStatus): string[] {
  return [
    provider,
    String(calls),
    errorShare === null ? '-' : `${(errorShare * 100).toFixed(1)} %`,
    p95Ms === null ? '-' : `${(p95Ms / 1_000).toFixed(2)} s`,
    `$${(spentTodayMicroUsd / 1e6).toFixed(2)}`,
  ];
}

/** Of gates that are not alike each behind its name: `gemini-text open; gemini-pictures closed until 14:20:05 UTC`. */
function gatesText({ provider, gate, maxCalls, gates }: ProviderStatus, paint: Paint): string {
  const each = (gates ?? [{ ...gate, name: provider, maxCalls }]).map((one) => ({
    name: one.name,
    text: gateText(one, one.maxCalls, paint),
  }));
  const [first] = each;
  if (first !== undefined && each.every(({ text }) => text === first.text)) return first.text;
  return each.map(({ name, text }) => `${name} ${text}`).join('; ');
}

/** `open`, or `closed until 14:20:05 UTC: quota_exhausted since 14:05:02, by host:42`. */
function gateText(gate: GateStatus, maxCalls: number | null, paint: Paint): string {
  const limit = maxCalls === null ? '' : `, at most ${maxCalls} calls at once`;
  if (gate.state === 'open') return `${paint('green', 'open')}${limit}`;
  const until =
    gate.state === 'closed' ? ` until ${clock(gate.until)}` : ', one call at a time looks whether it is back';
  const note = gate.note === null ? '' : ` (${plain(gate.note)})`;
  const by = gate.by === null ? '' : `, by ${plain(gate.by)}`;
  return `${paint('red', gate.state)}${until}: ${gate.reason ?? ''}${note} since ${clock(gate.since)}${by}${limit}`;
}

function clock(moment: string | null): string {
  if (moment === null) return 'some time';
  const [day = '', time = ''] = moment.split('T');
  const today = new Date().toISOString().startsWith(day);
  return `${today ? '' : `${day} `}${time.slice(0, 8)} UTC`;
}
