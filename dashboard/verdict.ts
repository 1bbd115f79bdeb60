// The one sentence on top of the operations page: either all is well, or what is not, worst first. Pure.
import type { NamedGateView, ProviderView } from '../ledger/queries-providers.ts';
import type { QueueStats } from '../ledger/queries-queues.ts';
import { clock } from './provider-line.ts';

export interface QueueLine extends QueueStats {
  queue: string;
  /** Those of the parked jobs that no process knew. */
  unknown: number;
}

/** A queue is late when a job that could run has waited longer than this, in seconds. */
export const targetSeconds = 120;
/** A queue is sick when more jobs than this died within a day. */
const deadLimit = 100;

/** What a person has to know of a closed gate; any other reason is an outage. A rate limit is everyday business. */
const reasons: Readonly<Record<string, string>> = {
  auth: 'its key is refused: change it',
  quota_exhausted: 'its quota is used up: raise it',
  operator: 'an operator closed its gate',
};

const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

export function verdict(
  lines: readonly QueueLine[],
  providers: readonly ProviderView[] = [],
): { good: boolean; sentence: string } {
  const shut = providers.flatMap(shutGates);
  const late = lines
    .filter((line) => line.oldestWaitingSeconds > targetSeconds)
    .sort((a, b) => b.oldestWaitingSeconds - a.oldestWaitingSeconds)
    .map((line) => `${line.queue} is ${duration(line.oldestWaitingSeconds)} late`);
  const sick = lines
    .filter((line) => line.deadLastDay >= deadLimit)
    .map((line) => `${countOf(line, 'deadLastDay')} jobs of ${line.queue} died in the last day`);
  const wrong = [...shut, ...late, ...sick, ...lines.flatMap(parked)];
  if (wrong.length > 0) return { good: false, sentence: `${wrong.join(', ')}.` };
  return { good: true, sentence: `All ${words[lines.length] ?? lines.length} queues within target.` };
}

/** By the names of the gates; by the provider's where all of them are shut for one reason. */
function shutGates({ provider, gates }: ProviderView): string[] {
  const shut = gates.filter(({ state, reason }) => state !== 'open' && reason !== 'rate_limited');
  const [first] = shut;
  const alike = shut.length === gates.length && shut.every(({ reason }) => reason === first?.reason);
  if (first !== undefined && alike) return [notCalled(provider, first)];
  return shut.map((gate) => notCalled(gate.name, gate));
}

function notCalled(name: string, { since, reason }: NamedGateView): string {
  return `${name} is not called since ${clock(since)} (${reasons[reason ?? ''] ?? 'it is away'})`;
}

/** A parked job is never late and never dies, so nothing else here would tell of it until it expires. */
function parked({ queue, parked: all, unknown: given, atLeast }: QueueLine): string[] {
  const unknown = Math.min(given, all); // the two are counted one after the other
  const more = atLeast.includes('parked') ? '+' : '';
  const why = [
    [unknown, 'no running build knows them: start one that does before they expire'],
    [all - unknown, 'the quarantine lane is full: see which jobs crash'],
  ] as const;
  return why
    .filter(([jobs]) => jobs > 0)
    .map(([jobs, todo]) => `${jobs}${more} ${jobs === 1 ? 'job' : 'jobs'} of ${queue} parked (${todo})`);
}

/** `12`, or `50000+` when one of the counts was cut off. */
export function countOf(line: QueueStats, ...names: readonly QueueStats['atLeast'][number][]): string {
  const sum = names.reduce((total, name) => total + line[name], 0);
  return `${sum}${names.some((name) => line.atLeast.includes(name)) ? '+' : ''}`;
}

/** `0 s`, `47 s`, `14 min`, `3 h 5 min`, `2 d 4 h`: the two units a person reads. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
